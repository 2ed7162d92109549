/** The configuration form: shows what holds, changes one value at a time. */

import { Refusal, request } from "./session-client.js";
import { hook } from "./hooks.js";

/** @typedef {HTMLInputElement | HTMLSelectElement} Field */

export class Settings {
  #socket;
  #form = hook("config");
  #error = hook("config-error");
  #state = hook("config-state");
  /** @type {Record<string, Record<string, any>>} */
  #config = {};
  #onChange;

  /**
   * @param {any} socket
   * @param {(config: Record<string, Record<string, any>>) => void} onChange
   */
  constructor(socket, onChange) {
    this.#socket = socket;
    this.#onChange = onChange;
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("change", (event) => void this.#change(/** @type {Field} */ (event.target)));
    hook("config-reset").addEventListener("click", () => void this.#reset());
    socket.on("connect", () => void this.#read());
    if (socket.connected) void this.#read();
  }

  /** @returns {Field[]} */
  get #fields() {
    return [...this.#form.querySelectorAll("[data-key]")].map((field) => /** @type {Field} */ (field));
  }

  async #read() {
    await this.#guard(async () => {
      this.#config = (await request(this.#socket, "config:get")).config;
      for (const field of this.#fields) this.#show(field);
      this.#onChange(this.#config);
    });
  }

  /** @param {Field} field */
  async #change(field) {
    const { category, key } = placeOf(field);
    await this.#guard(async () => {
      await request(this.#socket, "config:update", { category, key, value: valueOf(field) });
      (this.#config[category] ??= {})[key] = valueOf(field);
      this.#state.textContent = "Saved. It holds from the next piece of sound.";
      this.#onChange(this.#config);
    }, field);
  }

  async #reset() {
    await this.#guard(async () => {
      await request(this.#socket, "config:reset");
      this.#state.textContent = "The defaults are restored.";
    });
    await this.#read();
  }

  /** @param {Field} field */
  #show(field) {
    const { category, key } = placeOf(field);
    const value = this.#config[category]?.[key];
    if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = Boolean(value);
    else field.value = String(value ?? "");
    field.removeAttribute("aria-invalid");
  }

  /**
   * @param {() => Promise<void>} work
   * @param {Field} [field] what is shown as it was when the work is refused
   */
  async #guard(work, field) {
    this.#error.hidden = true;
    this.#state.textContent = "";
    field?.removeAttribute("aria-invalid");
    try {
      await work();
    } catch (error) {
      this.#error.textContent = error instanceof Refusal ? error.message : "The server does not answer.";
      this.#error.hidden = false;
      if (field instanceof HTMLInputElement && field.type === "checkbox") this.#show(field);
      field?.setAttribute("aria-invalid", "true");
    }
  }
}

/** @param {Field} field */
function placeOf(field) {
  const [category = "", key = ""] = (field.dataset.key ?? "").split(".");
  return { category, key };
}

/** @param {Field} field */
function valueOf(field) {
  if (field instanceof HTMLInputElement && field.type === "checkbox") return field.checked;
  if (field instanceof HTMLInputElement && field.type === "number") {
    return Number.isNaN(field.valueAsNumber) ? field.value : field.valueAsNumber;
  }
  return field.value.trim();
}
