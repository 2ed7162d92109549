/** The conversation as elements: each item of the timeline keeps its element while it stays. */

import { dayKey, dayWords } from "./dates.js";
import { copyOf } from "./hooks.js";
import { fillMessage } from "./message-view.js";
import { movementWords } from "./words.js";

/** @typedef {import("./timeline.js").Item} Item */
/** @typedef {import("./timeline.js").MessageItem} MessageItem */
/** @typedef {import("./message-view.js").Surroundings} Surroundings */

/** Shows a timeline. */
export class ConversationView {
  #log;

  /** @type {Map<string, HTMLElement>} by the key of the item */
  #elements = new Map();

  /** @type {WeakMap<HTMLElement, unknown[]>} what an element was filled with */
  #filled = new WeakMap();

  /** @type {HTMLElement | null} the message that the keyboard is on */
  #current = null;

  /** @param {HTMLElement} log */
  constructor(log) {
    this.#log = log;
    log.addEventListener("focusin", ({ target }) => {
      const article = /** @type {HTMLElement} */ (target).closest("[data-message]");
      if (article) this.#become(/** @type {HTMLElement} */ (article));
    });
  }

  /** Elements of messages, from top to bottom. */
  get messages() {
    return /** @type {HTMLElement[]} */ ([...this.#log.querySelectorAll("[data-message]")]);
  }

  /**
   * @param {string} key of an item
   * @returns {HTMLElement | null}
   */
  find(key) {
    return this.#elements.get(key) ?? null;
  }

  /**
   * @param {readonly Item[]} items
   * @param {Surroundings} room
   */
  render(items, room) {
    if (!this.#elements.size) this.#log.replaceChildren(); // what the server rendered
    const keys = new Set(items.map(({ key }) => key));
    for (const [key, gone] of this.#elements) {
      if (keys.has(key)) continue;
      gone.remove();
      this.#elements.delete(key);
    }
    let next = this.#log.firstElementChild;
    for (const item of items) {
      const shown = this.#shown(item, room);
      if (shown === next) next = shown.nextElementSibling;
      else this.#log.insertBefore(shown, next);
    }
    this.#keepReachable();
  }

  /**
   * Go from message to message.
   * @param {number} by -1 is up, 1 is down
   */
  move(by) {
    const all = this.messages;
    if (!all.length) return;
    const here = this.#current?.contains(document.activeElement) ? all.indexOf(this.#current) : all.length;
    all[Math.min(Math.max(here + by, 0), all.length - 1)].focus();
  }

  /** The message that the keyboard is on, or was last. */
  get current() {
    return this.#current;
  }

  /**
   * @param {Item} item
   * @param {Surroundings} room
   * @returns {HTMLElement}
   */
  #shown(item, room) {
    const known = this.#elements.get(item.key);
    const shown = known ?? copyOf(item.kind);
    if (!known) this.#elements.set(item.key, shown);
    const content = substance(item, room);
    const before = this.#filled.get(shown);
    if (!before || content.some((part, place) => part !== before[place])) {
      fill(shown, item, room);
      this.#filled.set(shown, content);
      if (item.kind === "message") this.#reach(shown, shown === this.#current);
    }
    return shown;
  }

  /** One message can be reached by the Tab key, and from there the others. */
  #keepReachable() {
    if (this.#current?.isConnected) return;
    this.#current = null;
    const last = this.messages.at(-1);
    if (last) this.#become(last);
  }

  /** @param {HTMLElement} article */
  #become(article) {
    if (article === this.#current) return;
    if (this.#current) this.#reach(this.#current, false);
    this.#current = article;
    this.#reach(article, true);
  }

  /**
   * @param {HTMLElement} article
   * @param {boolean} isReachable
   */
  #reach(article, isReachable) {
    article.tabIndex = isReachable ? 0 : -1;
    for (const button of article.querySelectorAll("button")) {
      const isUrgent = button.closest("[data-failure]") !== null;
      button.tabIndex = isReachable || isUrgent ? 0 : -1;
    }
  }
}

/**
 * What an item looks like depends on these; compared by identity.
 * @param {Item} item
 * @param {Surroundings} room
 * @returns {unknown[]}
 */
function substance(item, room) {
  switch (item.kind) {
    case "message": {
      const answered = item.message?.replyTo ?? item.draft?.replyTo;
      return [
        item.message, item.draft, item.isContinued, item.isOwn, room.isJoined,
        answered ? room.find(answered) : null,
      ];
    }
    case "movement":
      return [movementWords(item.line.came, item.line.left)];
    default:
      return [item.key];
  }
}

/**
 * @param {HTMLElement} shown
 * @param {Item} item
 * @param {Surroundings} room
 */
function fill(shown, item, room) {
  switch (item.kind) {
    case "message":
      fillMessage(shown, item, room);
      break;
    case "movement":
      shown.textContent = movementWords(item.line.came, item.line.left);
      break;
    case "day": {
      const time = /** @type {HTMLTimeElement} */ (shown.querySelector("time"));
      time.dateTime = dayKey(item.day);
      time.textContent = dayWords(item.day);
      break;
    }
    default: // the unread marker says all in its template
  }
}
