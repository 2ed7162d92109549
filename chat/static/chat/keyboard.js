/** The keyboard map outside of text fields. Single keys can be switched off (WCAG 2.1.4). */

import { ask } from "./actions.js";
import { hook } from "./hooks.js";
import { keeping } from "./keeping.js";

const SWITCH_KEY = "readrealm.single-keys";

/** What keys do on a page. */
export class Keyboard {
  #page;
  #singleKeys;

  /**
   * @param {HTMLElement} page
   * @param {object} around
   * @param {import("./conversation.js").Conversation} around.conversation
   * @param {import("./composer.js").Composer} around.composer
   * @param {import("./actions.js").Actions} around.actions
   */
  constructor(page, { conversation, composer, actions }) {
    this.#page = page;
    this.#singleKeys = /** @type {HTMLInputElement} */ (hook(page, "single-keys"));
    this.#singleKeys.checked = keeping.getItem(SWITCH_KEY) !== "off";
    this.#singleKeys.addEventListener("change", () => {
      keeping.setItem(SWITCH_KEY, this.#singleKeys.checked ? "on" : "off");
    });
    const opener = hook(page, "open-keys");
    opener.hidden = false;
    opener.addEventListener("click", () => this.#showKeys());
    const { view } = conversation;
    const onMessage = (/** @type {string} */ act) => () => {
      if (view.current?.contains(document.activeElement)) actions.act(act, view.current);
    };
    /** @type {Record<string, () => void>} */
    const singles = {
      j: () => view.move(1),
      k: () => view.move(-1),
      r: onMessage("reply"),
      e: onMessage("edit"),
      d: onMessage("delete"),
      h: onMessage("wordings"),
      m: () => { if (view.current?.contains(document.activeElement)) actions.open(view.current); },
      l: () => conversation.toLatest(),
      "/": () => composer.focus(),
      "?": () => this.#showKeys(),
    };
    document.addEventListener("keydown", (event) => this.#pressed(event, singles, view));
  }

  /**
   * @param {KeyboardEvent} event
   * @param {Record<string, () => void>} singles
   * @param {import("./view.js").ConversationView} view
   */
  #pressed(event, singles, view) {
    if (event.isComposing || document.querySelector("dialog[open]")) return;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.altKey && step) {
      event.preventDefault();
      view.move(step);
      return;
    }
    const isWriting = /** @type {HTMLElement} */ (event.target).closest("input, textarea, select");
    if (isWriting || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = singles[event.key];
    if (!act || !this.#singleKeys.checked) return;
    event.preventDefault();
    act();
  }

  #showKeys() {
    ask(hook(this.#page, "keys-dialog"));
  }
}
