/** Who is writing. The server keeps nothing of it: it is said again and again, and fades. */

import { keyOf } from "./readers.js";

/** @typedef {import("./readers.js").Reader} Reader */

/** While somebody writes it is said this often, ms. */
const SAID_EVERY_MS = 3_000;

/** Silence of the keyboard that counts as having stopped, ms. */
const STOPPED_AFTER_MS = 5_000;

/** Longer than `SAID_EVERY_MS`, so that one lost event does not flicker, ms. */
const FADES_AFTER_MS = 7_000;

/** Tells the room that this reader is writing. */
export class OwnTyping {
  #tell;
  #toldAt = 0;

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {(on: boolean) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  /** A key was pressed, and there is text. */
  write() {
    const now = Date.now();
    if (now - this.#toldAt >= SAID_EVERY_MS) {
      this.#toldAt = now;
      this.#tell(true);
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stop(), STOPPED_AFTER_MS);
  }

  /** The text was sent or given up. */
  stop() {
    clearTimeout(this.#timer);
    if (this.#toldAt) this.#tell(false);
    this.#toldAt = 0;
  }
}

/** Hears who else is writing. Fires `change`. */
export class OthersTyping extends EventTarget {
  /** @type {Map<string, {username: string, timer: ReturnType<typeof setTimeout>}>} by reader */
  #writers = new Map();

  /** Names, the one who began first comes first. */
  get names() {
    return [...this.#writers.values()].map(({ username }) => username);
  }

  /**
   * @param {Reader} reader
   * @param {boolean} on whether they write; false also when they left or their message came
   */
  hear(reader, on) {
    const key = keyOf(reader);
    const known = this.#writers.get(key);
    clearTimeout(known?.timer);
    if (on) {
      const timer = setTimeout(() => this.hear(reader, false), FADES_AFTER_MS);
      this.#writers.set(key, { username: reader.username, timer });
    } else this.#writers.delete(key);
    if (on !== (known !== undefined)) this.dispatchEvent(new Event("change"));
  }

  /** Nothing is known while the line is cut. */
  clear() {
    for (const { timer } of this.#writers.values()) clearTimeout(timer);
    this.#writers.clear();
    this.dispatchEvent(new Event("change"));
  }
}
