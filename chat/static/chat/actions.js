/** What a reader can do with a message: its menu, its reactions, its dialogs. */

import { NoAnswer, Refusal } from "./asking.js";
import { element, hook } from "./hooks.js";
import { isSame, keyOf } from "./readers.js";
import { sentence } from "./words.js";
import { WordingsDialog } from "./wordings.js";

/** @typedef {import("./log.js").Message} Message */
/** @typedef {import("./room-client.js").RoomClient} RoomClient */

/** What one click gives; readers may give any other emoji from other clients. */
const PALETTE = [
  ["👍", "Agree"], ["❤️", "Love"], ["😄", "Laugh"], ["😮", "Wonder"], ["😢", "Sad"], ["🤔", "Think"],
];

const GAP_PX = 8;

/** The actions on messages of a page. */
export class Actions {
  #page;
  #menu;
  #client;
  #conversation;
  #composer;
  #bar;
  #canReport;
  #wordings;

  /** @type {HTMLElement | null} the message the menu was opened on */
  #article = null;

  /** Where its button was then, px from the top of the window. */
  #openedAtPx = 0;

  /**
   * @param {HTMLElement} page
   * @param {object} around
   * @param {RoomClient} around.client
   * @param {import("./conversation.js").Conversation} around.conversation
   * @param {import("./composer.js").Composer} around.composer
   * @param {import("./status-bar.js").StatusBar} around.bar
   * @param {boolean} around.canReport
   */
  constructor(page, { client, conversation, composer, bar, canReport }) {
    this.#page = page;
    this.#menu = hook(page, "actions");
    this.#client = client;
    this.#conversation = conversation;
    this.#composer = composer;
    this.#bar = bar;
    this.#canReport = canReport;
    this.#wordings = new WordingsDialog(hook(page, "wordings-dialog"), client);
    hook(page, "palette").replaceChildren(...PALETTE.map(paletteButton));
    hook(page, "log").addEventListener("click", (event) => this.#clicked(event));
    this.#menu.addEventListener("click", (event) => this.#chosen(event));
    hook(page, "scroller").addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  /**
   * Open the menu of a message.
   * @param {HTMLElement} article
   */
  open(article) {
    const message = this.#conversation.messageOf(article);
    const button = hook(article, "menu");
    if (!message || button.hidden) return;
    this.#article = article;
    const isOwn = isSame(message, this.#client.reader);
    this.#entry("edit").hidden = !isOwn;
    this.#entry("delete").hidden = !isOwn;
    this.#entry("report").hidden = isOwn || !this.#canReport;
    const own = keyOf(this.#client.reader);
    for (const emoji of /** @type {NodeListOf<HTMLElement>} */ (this.#menu.querySelectorAll("[data-emoji]"))) {
      const given = message.reactions.get(emoji.dataset.emoji ?? "")?.includes(own) ?? false;
      emoji.setAttribute("aria-pressed", String(given));
    }
    this.#menu.showPopover();
    const place = button.getBoundingClientRect();
    this.#openedAtPx = place.top;
    this.#place(place);
    /** @type {HTMLElement} */ (this.#menu.querySelector("button"))?.focus();
  }

  /**
   * Do something with a message.
   * @param {string} act `reply`, `edit`, `delete`, `report` or `wordings`
   * @param {HTMLElement} article
   */
  act(act, article) {
    const message = this.#conversation.messageOf(article);
    if (!message || message.deletedBy || this.#client.status.name !== "live") return;
    const isOwn = isSame(message, this.#client.reader);
    if (act === "reply") this.#composer.answer(message);
    if (act === "edit" && isOwn) this.#composer.edit(message);
    if (act === "delete" && isOwn) this.#delete(message);
    if (act === "wordings" && message.editedAt) this.#attempt(this.#wordings.open(message));
    if (act === "report" && !isOwn && this.#canReport) this.#report(message);
  }

  /** @param {MouseEvent} event */
  #clicked({ target }) {
    const clicked = /** @type {HTMLElement} */ (target);
    const article = /** @type {HTMLElement | null} */ (clicked.closest("[data-message]"));
    if (!article) return;
    const key = (article.dataset.key ?? "").replace("own:", "");
    if (clicked.closest("[data-menu]")) this.open(article);
    if (clicked.closest("[data-wordings]")) this.act("wordings", article);
    if (clicked.closest("[data-retry]")) this.#client.outbox.retry(key);
    if (clicked.closest("[data-discard]")) this.#client.outbox.settle(key);
    const reaction = /** @type {HTMLElement | null} */ (clicked.closest(".reaction"));
    if (reaction) this.#react(article, reaction.dataset.emoji ?? "");
  }

  /** @param {MouseEvent} event */
  #chosen({ target }) {
    const button = /** @type {HTMLElement} */ (target).closest("button");
    const article = this.#article;
    if (!button || !article) return;
    this.#menu.hidePopover();
    if (button.dataset.emoji) this.#react(article, button.dataset.emoji);
    else this.act(button.dataset.act ?? "", article);
  }

  /**
   * @param {HTMLElement} article
   * @param {string} emoji
   */
  #react(article, emoji) {
    const message = this.#conversation.messageOf(article);
    if (!message) return;
    const isGiven = message.reactions.get(emoji)?.includes(keyOf(this.#client.reader)) ?? false;
    this.#attempt(this.#client.react(message.id, emoji, !isGiven));
  }

  /** @param {Message} message */
  async #delete(message) {
    const answer = await ask(hook(this.#page, "delete-dialog"));
    if (answer === "delete") await this.#attempt(this.#client.delete(message.id));
  }

  /** @param {Message} message */
  async #report(message) {
    /** @type {HTMLDialogElement} */
    const dialog = hook(this.#page, "report-dialog");
    const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
    form.reset();
    if ((await ask(dialog)) !== "report") return;
    const given = new FormData(form);
    const told = this.#client.report(message.id, String(given.get("reason")), String(given.get("note")).trim());
    if (await this.#attempt(told)) this.#bar.remark("Thank you. A moderator will look at it.");
  }

  /**
   * @param {Promise<void>} doing
   * @returns {Promise<boolean>} whether it worked
   */
  async #attempt(doing) {
    try {
      await doing;
      return true;
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof NoAnswer)) throw error;
      this.#bar.remark(`That did not work. ${sentence(error.message)}`);
      return false;
    }
  }

  /** The menu stays where it is, so it closes when its message goes away from under it. */
  #scrolled() {
    if (!this.#article || !this.#menu.matches(":popover-open")) return;
    const { top } = hook(this.#article, "menu").getBoundingClientRect();
    if (Math.abs(top - this.#openedAtPx) > 1) this.#menu.hidePopover();
  }

  /** @param {DOMRect} button below which the menu opens, or above it near the lower edge */
  #place(button) {
    const { width, height } = this.#menu.getBoundingClientRect();
    const below = button.bottom + GAP_PX;
    const top = below + height < innerHeight ? below : button.top - height - GAP_PX;
    this.#menu.style.top = `${Math.max(top, GAP_PX)}px`;
    this.#menu.style.left = `${Math.max(Math.min(button.right - width, innerWidth - width - GAP_PX), GAP_PX)}px`;
  }

  /** @param {string} act */
  #entry(act) {
    return /** @type {HTMLElement} */ (this.#menu.querySelector(`[data-act="${act}"]`));
  }
}

/**
 * @param {string[]} entry emoji and its name
 */
function paletteButton([emoji, name]) {
  const button = element("button", emoji, "emoji");
  button.setAttribute("type", "button");
  button.setAttribute("aria-label", name);
  button.title = name;
  button.dataset.emoji = emoji;
  return button;
}

/**
 * Open a dialog and wait for the answer.
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<string>} the value of the button; empty when it was dismissed
 */
export function ask(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue), { once: true });
  });
}
