/** Where a reader writes: a draft that survives a reload, an answer, or another wording. */

import { NoAnswer, Refusal } from "./asking.js";
import { hook } from "./hooks.js";
import { keeping } from "./keeping.js";
import { OwnTyping } from "./typing.js";
import { sentence } from "./words.js";

/** @typedef {import("./log.js").Message} Message */
/** @typedef {import("./room-client.js").RoomClient} RoomClient */

/** The contract's limit, in characters. */
const LONGEST = 4_000;

/** From here on the reader is told how many are left. */
const NEARLY_LONGEST = 3_600;

/** The tallest the field grows before it scrolls, px. */
const TALLEST_PX = 192;

/** The composer of a page. */
export class Composer {
  #form;
  #words;
  #send;
  #client;
  #bar;
  #typing;
  #draftKey;

  /** @type {Message | null} the message whose wording is being changed */
  #edited = null;

  /** @type {Message | null} the message that is being answered */
  #answered = null;

  /** What stood in the field before an edit began. */
  #setAside = "";

  #slowUntilMs = 0;

  /**
   * @param {HTMLElement} page
   * @param {RoomClient} client
   * @param {object} around
   * @param {import("./status-bar.js").StatusBar} around.bar
   * @param {() => Message | null} around.lastOwn the own message that Up edits
   * @param {() => void} around.afterSending
   */
  constructor(page, client, { bar, lastOwn, afterSending }) {
    this.#form = hook(page, "composer");
    this.#words = /** @type {HTMLTextAreaElement} */ (hook(page, "words"));
    this.#send = /** @type {HTMLButtonElement} */ (hook(page, "send"));
    this.#client = client;
    this.#bar = bar;
    this.#typing = new OwnTyping((on) => client.typing(on));
    this.#draftKey = `readrealm.draft ${client.bookId}`;
    this.#words.value = keeping.getItem(this.#draftKey) ?? "";
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(afterSending);
    });
    this.#words.addEventListener("input", () => this.#changed());
    this.#words.addEventListener("keydown", (event) => this.#pressed(event, lastOwn));
    hook(page, "context-cancel").addEventListener("click", () => this.cancel());
    client.addEventListener("slow", (event) => this.#slow(/** @type {CustomEvent} */ (event).detail.untilMs));
    this.#fit();
  }

  /** Put the caret into the field. */
  focus() {
    this.#words.focus();
  }

  /** @param {Message} message to answer */
  answer(message) {
    this.cancel();
    this.#answered = message;
    this.#tellContext(`Answering ${message.username}`, "Send");
    this.focus();
  }

  /** @param {Message} message to word differently */
  edit(message) {
    this.cancel();
    this.#edited = message;
    this.#setAside = this.#words.value;
    this.#words.value = message.content;
    this.#tellContext("Changing your message", "Save");
    this.#changed();
    this.focus();
    this.#words.setSelectionRange(message.content.length, message.content.length);
  }

  /** Give up an answer or an edit; what was written before it comes back. */
  cancel() {
    if (this.#edited) this.#words.value = this.#setAside;
    this.#edited = null;
    this.#answered = null;
    this.#setAside = "";
    hook(this.#form, "context").hidden = true;
    hook(this.#form, "send-words").textContent = "Send";
    this.#changed();
  }

  /** @param {() => void} afterSending */
  async #submit(afterSending) {
    const content = this.#words.value.trim();
    if (!content || lengthOf(content) > LONGEST) return;
    this.#typing.stop();
    if (this.#edited) return this.#save(this.#edited, content);
    if (this.#client.outbox.isFull) {
      this.#bar.remark("Too many messages wait to be sent. This one stays here.");
      return;
    }
    this.#client.say(content, this.#answered?.id ?? null);
    this.#words.value = "";
    this.cancel();
    afterSending();
  }

  /**
   * @param {Message} message
   * @param {string} content
   */
  async #save(message, content) {
    try {
      if (content !== message.content) await this.#client.edit(message.id, content);
      if (this.#edited === message) this.cancel();
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof NoAnswer)) throw error;
      this.#bar.remark(`Your change was not saved. ${sentence(error.message)}`);
    }
  }

  /**
   * @param {KeyboardEvent} event
   * @param {() => Message | null} lastOwn
   */
  #pressed(event, lastOwn) {
    // An input method uses Enter to choose a word.
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      /** @type {HTMLFormElement} */ (this.#form).requestSubmit();
    } else if (event.key === "Escape" && (this.#edited || this.#answered)) {
      event.preventDefault();
      this.cancel();
    } else if (event.key === "ArrowUp" && !event.altKey && !this.#words.value && !this.#edited) {
      const message = lastOwn();
      if (!message) return;
      event.preventDefault();
      this.edit(message);
    }
  }

  #changed() {
    const { value } = this.#words;
    if (!this.#edited) {
      if (value) keeping.setItem(this.#draftKey, value);
      else keeping.removeItem(this.#draftKey);
      if (value.trim()) this.#typing.write();
      else this.#typing.stop();
    }
    const left = LONGEST - lengthOf(value.trim());
    const count = hook(this.#form, "count");
    count.hidden = left > LONGEST - NEARLY_LONGEST;
    count.textContent = left < 0 ? `${-left} characters too many` : `${left} characters left`;
    this.#words.setAttribute("aria-invalid", String(left < 0));
    this.#send.disabled = left < 0 || !value.trim();
    this.#fit();
  }

  /** As tall as the text, up to a limit. */
  #fit() {
    this.#words.style.height = "auto";
    this.#words.style.height = `${Math.min(this.#words.scrollHeight, TALLEST_PX)}px`;
    this.#send.disabled = !this.#words.value.trim() || lengthOf(this.#words.value.trim()) > LONGEST;
  }

  /**
   * @param {string} words
   * @param {string} action
   */
  #tellContext(words, action) {
    hook(this.#form, "context").hidden = false;
    hook(this.#form, "context-words").textContent = words;
    hook(this.#form, "send-words").textContent = action;
  }

  /** @param {number} untilMs Unix time */
  #slow(untilMs) {
    const isCounting = this.#slowUntilMs > Date.now();
    this.#slowUntilMs = untilMs;
    if (!isCounting) this.#countDown();
  }

  #countDown() {
    const leftMs = this.#slowUntilMs - Date.now();
    const place = hook(this.#form, "slow");
    place.hidden = leftMs <= 0;
    if (leftMs <= 0) return;
    place.textContent = `A little slower: your message goes out in ${Math.ceil(leftMs / 1000)} s`;
    setTimeout(() => this.#countDown(), leftMs % 1000 || 1000);
  }
}

/**
 * @param {string} text
 * @returns {number} in characters, as the server counts them
 */
function lengthOf(text) {
  return [...text].length;
}
