/** Which voice reads the questions, as the reader chooses and the browser remembers. */

import { BrowserVoice, ServerVoice } from "./interview-voice.js";

const KEY = "readrealm.interview.aloud";

/** What earlier pages remembered. @type {Record<string, string>} */
const FORMER = { yes: "browser" };

export class Reading {
  #choices;
  #note;
  #browser = new BrowserVoice();
  #server;

  /**
   * @param {HTMLElement} choices radio buttons: `browser`, `server` and `no`
   * @param {HTMLElement} note says what is missing
   * @param {(() => Promise<string>) | null} address where the server has the current question as
   *   sound; null if it has no voice
   */
  constructor(choices, note, address) {
    this.#choices = choices;
    this.#note = note;
    this.#server = address && new ServerVoice(address);
    choices.addEventListener("change", () => localStorage.setItem(KEY, this.#chosen));
  }

  /** Offer the voices that are there. */
  async find() {
    const isThere = { browser: await this.#browser.find(), server: Boolean(this.#server), no: true };
    for (const [name, is] of Object.entries(isThere)) {
      this.#choice(name).disabled = !is;
      /** @type {HTMLElement} */ (this.#choice(name).closest("label")).hidden = !is;
    }
    const remembered = localStorage.getItem(KEY) ?? "";
    const wanted = [FORMER[remembered] ?? remembered, "browser", "server", "no"];
    this.#choice(wanted.find((name) => isThere[/** @type {keyof typeof isThere} */ (name)]) ?? "no").checked = true;
    this.#note.textContent = isThere.browser || isThere.server ? "" : "There is no voice here; the questions stand on the page.";
  }

  /** Whether questions are read. */
  get isOn() {
    return this.#chosen !== "no";
  }

  /**
   * Read a question aloud.
   * @param {string} question
   * @returns {Promise<boolean>} whether it was read to its end
   */
  async read(question) {
    this.stop();
    if (this.#chosen === "browser") return this.#browser.read(question);
    return this.#chosen === "server" && this.#server ? this.#server.read() : false;
  }

  /** Silent at once. */
  stop() {
    this.#browser.stop();
    this.#server?.stop();
  }

  get #chosen() {
    const chosen = /** @type {HTMLInputElement | null} */ (this.#choices.querySelector("input:checked"));
    return chosen?.value ?? "no";
  }

  /** @param {string} name */
  #choice(name) {
    return /** @type {HTMLInputElement} */ (this.#choices.querySelector(`input[value="${name}"]`));
  }
}
