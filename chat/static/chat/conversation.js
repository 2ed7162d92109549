/**
 * The conversation of one page: follows a room and draws it, keeps the place of the reader,
 * fetches older pages, and knows what is unread.
 */

import { NoAnswer, Refusal } from "./asking.js";
import { hook } from "./hooks.js";
import { keeping } from "./keeping.js";
import { RoomLog } from "./log.js";
import { Movements } from "./movements.js";
import { isSame, keyOf } from "./readers.js";
import { Scroll } from "./scroll.js";
import { timeline } from "./timeline.js";
import { Unread } from "./unread.js";
import { ConversationView } from "./view.js";

/** @typedef {import("./log.js").WireMessage} WireMessage */
/** @typedef {import("./room-client.js").RoomClient} RoomClient */

/** A page that has more messages than this forgets the oldest while nobody looks at them. */
const MOST_MESSAGES = 1_200;
const KEPT_MESSAGES = 600;

/** How many pages are fetched in search of an answered message. */
const MOST_PAGES_BACK = 20;

/** The conversation on a page. */
export class Conversation {
  #page;
  #log;
  #announcer;
  #movements = new Movements();
  #unread = new Unread(0);
  #title = document.title;

  /** @type {RoomClient | null} */
  #client = null;

  /** @type {number | undefined} */
  #frame;

  /**
   * @param {HTMLElement} page
   * @param {readonly WireMessage[]} known what the server rendered
   * @param {import("./announcer.js").Announcer} announcer
   */
  constructor(page, known, announcer) {
    this.#page = page;
    this.#announcer = announcer;
    this.#log = new RoomLog();
    this.#log.merge(known);
    this.view = new ConversationView(hook(page, "log"));
    this.scroll = new Scroll(hook(page, "scroller"), hook(page, "log"));
    this.#draw();
    this.scroll.toEnd();
    this.scroll.addEventListener("change", () => this.#see());
    document.addEventListener("visibilitychange", () => this.#see());
    hook(page, "jump").addEventListener("click", () => this.toLatest());
    hook(page, "log").addEventListener("click", (event) => this.#followReply(event));
  }

  /**
   * From now on the conversation is live.
   * @param {RoomClient} client
   */
  follow(client) {
    this.#client = client;
    this.#log = client.log;
    this.#unread = new Unread(Number(keeping.getItem(this.#readKey) ?? 0));
    this.#unread.open(this.#log.messages, client.reader);
    this.#drawNow();
    client.addEventListener("change", () => this.#drawSoon());
    client.addEventListener("status", () => this.#drawSoon());
    client.addEventListener("arrival", (event) => this.#arrived(/** @type {CustomEvent} */ (event).detail));
    client.addEventListener("movement", (event) => this.#moved(/** @type {CustomEvent} */ (event).detail));
    client.outbox.addEventListener("change", () => this.#answered());
    this.#watchOlder();
    const marker = this.view.find("unread");
    if (marker) this.scroll.to(marker);
    else this.scroll.toEnd();
    hook(this.#page, "log").ariaLive = "polite";
    this.#see();
  }

  /** Show the end. */
  toLatest() {
    this.scroll.toEnd();
    this.#see();
  }

  /** The last message of this reader that can be edited. */
  get lastOwn() {
    const { reader } = this.#client ?? {};
    return this.#log.messages.findLast(
      (message) => reader && isSame(message, reader) && !message.deletedBy,
    ) ?? null;
  }

  /**
   * The message that an element stands for.
   * @param {Element} article
   */
  messageOf(article) {
    return this.#log.find(article.id.replace("message-", ""));
  }

  #drawSoon() {
    // Frames stop while the page is hidden, and messages do not.
    if (document.hidden) setTimeout(() => this.#drawNow());
    else this.#frame ??= requestAnimationFrame(() => this.#drawNow());
  }

  #drawNow() {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.scroll.keep(() => this.#draw());
    this.#see();
  }

  #draw() {
    const { messages } = this.#log;
    const client = this.#client;
    const items = timeline({
      messages,
      drafts: client?.outbox.drafts ?? [],
      movements: this.#movements.lines(),
      hasOlder: client?.hasOlder ?? false,
      unreadSeq: this.#unread.markerSeq,
      reader: client?.reader ?? null,
    });
    const isJoined = client?.status.name === "live";
    this.view.render(items, {
      reader: client?.reader ?? null, find: (id) => this.#log.find(id), isJoined,
    });
    hook(this.#page, "empty").hidden = items.length > 0 || !(isJoined || !this.#page.querySelector("[data-away]"));
    const away = this.#page.querySelector("[data-away]");
    if (away && (isJoined || items.length)) away.remove();
    if (client) hook(this.#page, "older").hidden = !client.hasOlder || messages.length === 0;
  }

  /** @param {WireMessage} message */
  #arrived(message) {
    if (!this.#client || isSame(message, this.#client.reader)) return;
    this.#unread.arrive(message.seq, this.#isLooking);
    if (this.scroll.isAtEnd && this.#log.messages.length > MOST_MESSAGES) {
      this.#client.keepNewest(KEPT_MESSAGES);
    }
    this.#drawSoon();
  }

  /** @param {import("./readers.js").Reader & {came: boolean}} movement */
  #moved(movement) {
    if (!this.#client || isSame(movement, this.#client.reader)) return;
    this.#movements.add({ ...movement, afterSeq: this.#log.newestSeq });
    this.#drawSoon();
  }

  /** Who writes has read. */
  #answered() {
    if (!this.#client?.outbox.drafts.some(({ state }) => state === "waiting")) return;
    this.#unread.clearMarker();
    this.#drawNow();
  }

  get #isLooking() {
    return this.scroll.isAtEnd && !document.hidden;
  }

  get #readKey() {
    const { bookId, reader } = /** @type {RoomClient} */ (this.#client);
    return `readrealm.read ${bookId} ${keyOf(reader)}`;
  }

  /** Take note of what the reader sees, and offer the way to what they do not see. */
  #see() {
    if (this.#client && this.#isLooking) {
      this.#unread.see(this.#log.newestSeq);
      keeping.setItem(this.#readKey, String(this.#unread.readSeq));
    }
    const { count } = this.#unread;
    document.title = count ? `(${count}) ${this.#title}` : this.#title;
    hook(this.#page, "jump").hidden = this.scroll.isAtEnd;
    hook(this.#page, "jump-words").textContent = count
      ? `${count} new ${count === 1 ? "message" : "messages"}`
      : "Jump to latest";
  }

  #watchOlder() {
    const older = hook(this.#page, "older");
    const observer = new IntersectionObserver(
      ([{ isIntersecting }]) => { if (isIntersecting) this.#loadOlder(); },
      { root: hook(this.#page, "scroller"), rootMargin: "240px 0px 0px 0px" },
    );
    observer.observe(older);
    this.#page.querySelector("[data-older-link]")?.addEventListener("click", (event) => {
      event.preventDefault();
      this.#loadOlder();
    });
    // A page of older messages may be shorter than the window: look again after each.
    this.#lookAgain = () => {
      observer.unobserve(older);
      observer.observe(older);
    };
  }

  #lookAgain = () => {};

  /** @returns {Promise<boolean>} whether older messages came */
  async #loadOlder() {
    const client = this.#client;
    if (!client || client.status.name !== "live" || !client.hasOlder) return false;
    const log = hook(this.#page, "log");
    hook(this.#page, "skeleton").hidden = false;
    log.ariaLive = "off"; // what was said long ago is not news
    try {
      const count = await client.loadOlder();
      this.#drawNow();
      if (count) this.#announcer.say(`${count} older messages are above`);
      if (count) setTimeout(this.#lookAgain, 200);
      return count > 0;
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof NoAnswer)) throw error;
      return false;
    } finally {
      hook(this.#page, "skeleton").hidden = true;
      setTimeout(() => { log.ariaLive = "polite"; }, 500);
    }
  }

  /** @param {MouseEvent} event */
  async #followReply(event) {
    const link = /** @type {HTMLElement} */ (event.target).closest("[data-reply-link]");
    const id = /** @type {HTMLElement | null} */ (link)?.dataset.answered;
    if (!id) return;
    event.preventDefault();
    let pages = MOST_PAGES_BACK;
    while (!this.#log.find(id) && pages > 0 && (await this.#loadOlder())) pages -= 1;
    const answered = document.getElementById(`message-${id}`);
    if (!answered) return;
    this.scroll.to(answered);
    answered.focus({ preventScroll: true });
    answered.classList.remove("is-found");
    requestAnimationFrame(() => answered.classList.add("is-found"));
  }
}
