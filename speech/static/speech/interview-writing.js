/** An answer in writing, told while it grows, so that nobody is taken for silent. */

import { hide } from "./focus.js";

/** A growing answer is told this often, ms. */
const EVERY_MS = 700;

export class Writing {
  #place;
  #field;
  #next;
  #tell;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HTMLElement} place
   * @param {HTMLTextAreaElement} field
   * @param {HTMLElement} next what gets the focus when the turn is over
   * @param {(text: string, isFinal: boolean) => void} tell
   */
  constructor(place, field, next, tell) {
    this.#place = place;
    this.#field = field;
    this.#next = next;
    this.#tell = tell;
    field.addEventListener("input", () => {
      this.#timer ??= setTimeout(() => this.#say(false), EVERY_MS);
    });
  }

  /** An empty field, with the focus in it. */
  open() {
    this.#place.hidden = false;
    this.#field.readOnly = false;
    if (!this.#field.value) this.#field.focus();
  }

  /** Tell the whole answer; call it before the answer is done. */
  finish() {
    this.#say(true);
    this.close();
  }

  /** The turn is over, and what is in the field belongs to it. */
  close() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#field.readOnly = true;
    this.#field.value = "";
    hide(this.#place, this.#next);
  }

  /** @param {boolean} isFinal */
  #say(isFinal) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#field.value.replace(/\s+/gu, " ").trim();
    if (text) this.#tell(text, isFinal);
  }
}
