/** The thin bar above the conversation: what is wrong with the line, and what still works. */

import { sentence } from "./words.js";

/** @typedef {import("./membership.js").Status} Status */

/** The first connection is given this long before it is mentioned, ms. */
const PATIENCE_MS = 1_500;

/** A passing remark stays for so long, ms. */
const REMARK_MS = 6_000;

/** Shows the state of the connection, or a passing remark. */
export class StatusBar {
  #bar;

  /** @type {Status} */
  #status = { name: "idle" };

  #wasLive = false;

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLElement} bar with `role="status"` */
  constructor(bar) {
    this.#bar = bar;
    addEventListener("online", () => this.show(this.#status));
    addEventListener("offline", () => this.show(this.#status));
  }

  /** @param {Status} status */
  show(status) {
    this.#status = status;
    clearTimeout(this.#timer);
    if (status.name === "live") {
      this.#say(this.#wasLive && this.#bar.textContent ? "You are back in the room." : "", "good");
      this.#wasLive = true;
      this.#timer = setTimeout(() => this.#say(""), REMARK_MS / 2);
    } else if (status.name === "connecting") {
      this.#timer = setTimeout(() => this.#say("Opening the room."), PATIENCE_MS);
    } else this.#say(trouble(status), status.isPlanned ? "" : "trouble");
  }

  /**
   * Something that the reader asked for did not work.
   * @param {string} words
   */
  remark(words) {
    clearTimeout(this.#timer);
    this.#say(words, "trouble");
    this.#timer = setTimeout(() => this.show({ ...this.#status }), REMARK_MS);
  }

  /**
   * @param {string} words empty for nothing to say
   * @param {string} [tone]
   */
  #say(words, tone = "") {
    this.#bar.textContent = words;
    this.#bar.dataset.tone = tone;
  }
}

/**
 * @param {Status} status
 * @returns {string}
 */
function trouble(status) {
  if (status.name === "reconnecting" && !navigator.onLine) {
    return "You are offline. You can read and keep writing; it goes out when you are back.";
  }
  if (status.name === "reconnecting" && status.isPlanned) {
    return "The room is being renewed and opens again in a moment. You can read and keep writing.";
  }
  if (status.name === "reconnecting") {
    return "The connection was lost. Reconnecting; you can read and keep writing.";
  }
  if (status.name === "refused" && status.code !== "UNAUTHENTICATED") {
    return `The room did not let you in. ${sentence(status.reason ?? "")}`;
  }
  return "";
}
