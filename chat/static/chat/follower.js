/**
 * Stays in step with one room's log: applies what comes next, drops what is old, and on a gap
 * asks for what is missing. Knows how to ask, and no page.
 */

import { NoAnswer, Refusal } from "./asking.js";
import { RoomLog } from "./log.js";
import { Sequence } from "./sequence.js";

/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {import("./log.js").WireMessage} WireMessage */

/**
 * @typedef {object} Page An answer to `getMessages`.
 * @property {WireMessage[]} messages
 * @property {Entry[]} events
 * @property {number} headSeq
 * @property {boolean} hasMore
 */

/** A reader who is further behind than this gets the newest page instead of all of it. */
const MOST_CAUGHT_UP = 1_000;

const CATCH_UP_PAGE = 200;
const OLDER_PAGE = 50;

/** Readers who lost the same worker must not all ask in the same moment, ms. */
const JITTER_MS = 500;
const RETRY_MS = 2_000;

/**
 * Follows a log. Fires `change` when it differs, and `arrival` (detail: the wire message) for
 * every message that somebody says while this reader listens.
 */
export class Follower extends EventTarget {
  log = new RoomLog();

  /** Whether there are messages older than the oldest in `log`. */
  hasOlder;

  #sequence = new Sequence();
  #getMessages;
  #random;
  /** Where this reader stood when the room was last asked to let them in. */
  #stoodAt = 0;
  #isFollowing = false;
  #isCatchingUp = false;
  #isLoadingOlder = false;

  /**
   * @param {object} options
   * @param {(range: object) => Promise<Page>} options.getMessages
   * @param {readonly WireMessage[]} options.known messages that the page already shows
   * @param {boolean} options.hasOlder whether there are older ones than those
   * @param {() => number} options.random in 0..1
   */
  constructor({ getMessages, known, hasOlder, random }) {
    super();
    this.#getMessages = getMessages;
    this.#random = random;
    this.hasOlder = hasOlder;
    if (known.length) {
      this.log.merge(known);
      this.#sequence.restart(this.log.newestSeq);
    }
  }

  /** The room is being asked to let this reader in: some of its events may come before `start`. */
  expect() {
    this.#stoodAt = this.#sequence.cursor ?? 0;
  }

  /**
   * The room was joined: events arrive from now on.
   * @param {number} headSeq how far the room's log reaches
   * @param {readonly WireMessage[]} greeting the newest messages, at least as new as `headSeq`
   */
  start(headSeq, greeting) {
    const { cursor } = this.#sequence;
    // Not the cursor of now: what was heard while the room answered may be newer than its head.
    const isOtherLog = headSeq < this.#stoodAt;
    const isNew = cursor === null || isOtherLog || headSeq - cursor > MOST_CAUGHT_UP;
    const oldest = Math.min(...greeting.map(({ seq }) => seq));
    if (isNew) {
      this.log.clear();
      this.log.merge(greeting);
      this.hasOlder = greeting.length > 0 && oldest > 1;
      this.#absorb(this.#sequence.restart(headSeq));
    } else if (oldest <= cursor) {
      this.log.merge(greeting); // it overlaps with what is shown, so no message is between them
    }
    this.#isFollowing = true;
    this.#sequence.notice(headSeq);
    this.#fire("change");
    this.#catchUp();
  }

  /** The connection is gone; `start` again when it is back. */
  stop() {
    this.#isFollowing = false;
  }

  /**
   * An event of the room arrived.
   * @param {Entry} entry
   */
  hear(entry) {
    this.#absorb(this.#sequence.offer(entry));
    this.#catchUp();
  }

  /**
   * The room's log is known to reach this far.
   * @param {number} seq
   */
  hearHead(seq) {
    this.#sequence.notice(seq);
    this.#catchUp();
  }

  /**
   * Fetch the page before the oldest message.
   * @returns {Promise<number>} how many messages came
   * @throws {Refusal | NoAnswer}
   */
  async loadOlder() {
    if (this.#isLoadingOlder || !this.hasOlder) return 0;
    this.#isLoadingOlder = true;
    try {
      const before = this.log.messages.length;
      let beforeSeq = this.log.oldestSeq;
      // A stretch of edits and reactions can fill a page without a single message.
      while (this.hasOlder && this.log.messages.length === before) {
        const page = await this.#getMessages({ beforeSeq, limit: OLDER_PAGE });
        beforeSeq = Math.min(beforeSeq, ...seqs(page));
        this.hasOlder = page.hasMore && seqs(page).length > 0;
        this.log.merge(page.messages);
      }
      this.#fire("change");
      return this.log.messages.length - before;
    } finally {
      this.#isLoadingOlder = false;
    }
  }

  /**
   * Forget old messages of a long sitting; `loadOlder` brings them back.
   * @param {number} count how many to keep
   */
  keepNewest(count) {
    if (this.log.messages.length <= count) return;
    this.log.keepNewest(count);
    this.hasOlder = true;
    this.#fire("change");
  }

  /** Fetch what is missing, if anything is; one fetch at a time. */
  async #catchUp() {
    if (this.#isCatchingUp || !this.#isMissing) return;
    this.#isCatchingUp = true;
    try {
      await passing(this.#random() * JITTER_MS);
      while (this.#isMissing) await this.#fetchMissing();
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof NoAnswer)) throw error;
      setTimeout(() => this.#catchUp(), RETRY_MS * (0.5 + this.#random()));
    } finally {
      this.#isCatchingUp = false;
    }
  }

  get #isMissing() {
    return this.#isFollowing && this.#sequence.isBehind;
  }

  async #fetchMissing() {
    const afterSeq = this.#sequence.cursor ?? 0;
    const page = await this.#getMessages({ afterSeq, limit: CATCH_UP_PAGE });
    this.log.merge(page.messages);
    for (const entry of page.events) this.log.apply(entry);
    // What arrived while the page was on its way has been announced.
    const { cursor } = this.#sequence;
    const news = page.messages.filter(({ seq }) => cursor === null || seq > cursor);
    this.#announce(news.map((message) => ({ type: "newMessage", seq: message.seq, message })));
    // With more to come, this page ends at its last entry, whether or not each number was used.
    const reached = page.hasMore ? Math.max(afterSeq + 1, ...seqs(page)) : page.headSeq;
    this.#absorb(this.#sequence.reach(reached));
    this.#fire("change");
  }

  /** @param {readonly Entry[]} entries next in order */
  #absorb(entries) {
    for (const entry of entries) this.log.apply(entry);
    this.#announce(entries);
    if (entries.length) this.#fire("change");
  }

  /** @param {readonly Entry[]} entries */
  #announce(entries) {
    for (const { type, message } of entries) {
      if (type === "newMessage") this.#fire("arrival", message);
    }
  }

  /**
   * @param {string} name
   * @param {unknown} [detail]
   */
  #fire(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/**
 * @param {Page} page
 * @returns {number[]}
 */
function seqs({ messages, events }) {
  return [...messages, ...events].map(({ seq }) => seq);
}

/** @param {number} ms */
function passing(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
