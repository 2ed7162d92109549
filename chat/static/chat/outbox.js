/**
 * What a reader wrote and the room has not confirmed yet: one message on its way at a time,
 * in the order of writing, sent again under the same id until it is certain. Knows no socket
 * and no page.
 */

/**
 * @typedef {object} Draft
 * @property {string} clientMsgId the same on every attempt, so that it is kept once
 * @property {string} content
 * @property {string | null} replyTo
 * @property {number} writtenAt Unix time, ms
 * @property {"waiting" | "failed"} state
 * @property {string | null} reason why it failed, in words for the reader
 */

/**
 * @typedef {{kind: "sent"} | {kind: "failed", reason: string}
 *   | {kind: "again", inMs: number, isAsked?: boolean}} Outcome `again` leaves the message at the
 *   head of the queue, unless it was tried too often; `isAsked` when the server named the time,
 *   which is no failed attempt
 */

/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Keeping must not throw */

/** Attempts in vain before the reader is asked. */
const MOST_ATTEMPTS = 5;

/** After a reload, a message older than this is not sent without being asked for, ms. */
const STALE_AFTER_MS = 5 * 60_000;

/** The most messages that wait. */
const MOST_DRAFTS = 50;

/** Messages of one reader on their way into one room. Fires `change`. */
export class Outbox extends EventTarget {
  /** @type {readonly Draft[]} in the order of writing */
  drafts = [];

  #send;
  #storage;
  #key;
  #now;
  #isOpen = false;
  #isSending = false;
  #attempts = 0;

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {object} options
   * @param {(draft: Draft) => Promise<Outcome>} options.send makes one attempt; never rejects
   * @param {Keeping | null} [options.storage]
   *   keeps messages over a reload
   * @param {string} [options.key] name inside the storage, one a room and reader
   * @param {() => number} [options.now] Unix time, ms
   */
  constructor({ send, storage = null, key = "readrealm.outbox", now = Date.now }) {
    super();
    this.#send = send;
    this.#storage = storage;
    this.#key = key;
    this.#now = now;
    this.drafts = this.#restored();
  }

  /** Whether no more messages are taken. */
  get isFull() {
    return this.drafts.length >= MOST_DRAFTS;
  }

  /**
   * Put a message at the end of the queue.
   * @param {string} content
   * @param {string | null} [replyTo]
   * @returns {Draft}
   */
  add(content, replyTo = null) {
    const draft = Object.freeze({
      clientMsgId: crypto.randomUUID(),
      content,
      replyTo,
      writtenAt: this.#now(),
      state: /** @type {const} */ ("waiting"),
      reason: null,
    });
    this.#become([...this.drafts, draft]);
    this.#pump();
    return draft;
  }

  /**
   * Try a failed message again, after those that are waiting.
   * @param {string} clientMsgId
   */
  retry(clientMsgId) {
    const draft = this.#find(clientMsgId);
    if (draft?.state !== "failed") return;
    const others = this.drafts.filter((other) => other !== draft);
    this.#become([...others, Object.freeze({ ...draft, state: "waiting", reason: null })]);
    this.#pump();
  }

  /**
   * Forget a message: the room has it, or the reader does not want it any more.
   * @param {string} clientMsgId
   */
  settle(clientMsgId) {
    if (!this.#find(clientMsgId)) return;
    this.#become(this.drafts.filter((draft) => draft.clientMsgId !== clientMsgId));
  }

  /** The room can be reached: send what waits. */
  open() {
    this.#isOpen = true;
    this.#attempts = 0;
    this.#pump();
  }

  /** The room cannot be reached: keep what waits. */
  close() {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #pump() {
    const draft = this.drafts.find(({ state }) => state === "waiting");
    if (!draft || !this.#isOpen || this.#isSending || this.#timer !== undefined) return;
    this.#isSending = true;
    const outcome = await this.#send(draft);
    this.#isSending = false;
    this.#conclude(draft, outcome);
    this.#pump();
  }

  /**
   * @param {Draft} draft
   * @param {Outcome} outcome
   */
  #conclude(draft, outcome) {
    if (!this.#find(draft.clientMsgId)) this.#attempts = 0;
    else if (outcome.kind === "sent") {
      this.#attempts = 0;
      this.settle(draft.clientMsgId);
    } else if (outcome.kind === "failed") this.#fail(draft, outcome.reason);
    else if (this.#isOpen) this.#again(draft, outcome);
  }

  /**
   * @param {Draft} draft
   * @param {{inMs: number, isAsked?: boolean}} outcome
   */
  #again(draft, { inMs, isAsked = false }) {
    if (!isAsked) this.#attempts += 1;
    if (this.#attempts >= MOST_ATTEMPTS) return this.#fail(draft, "The room did not answer.");
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pump();
    }, inMs);
  }

  /**
   * @param {Draft} draft
   * @param {string} reason
   */
  #fail(draft, reason) {
    this.#attempts = 0;
    const failed = Object.freeze({ ...draft, state: /** @type {const} */ ("failed"), reason });
    this.#become(this.drafts.map((other) => (other === draft ? failed : other)));
  }

  /** @param {string} clientMsgId */
  #find(clientMsgId) {
    return this.drafts.find((draft) => draft.clientMsgId === clientMsgId);
  }

  /** @param {readonly Draft[]} drafts */
  #become(drafts) {
    this.drafts = Object.freeze([...drafts]);
    if (drafts.length) this.#storage?.setItem(this.#key, JSON.stringify(drafts));
    else this.#storage?.removeItem(this.#key);
    this.dispatchEvent(new Event("change"));
  }

  /** @returns {readonly Draft[]} */
  #restored() {
    return parsed(this.#storage?.getItem(this.#key)).map((draft) =>
      this.#now() - draft.writtenAt < STALE_AFTER_MS
        ? Object.freeze(draft)
        : Object.freeze({ ...draft, state: "failed", reason: "It waited for a while." }),
    );
  }
}

/**
 * @param {string | null | undefined} stored
 * @returns {Draft[]} empty for anything that is not ours
 */
function parsed(stored) {
  try {
    const drafts = JSON.parse(stored ?? "[]");
    return Array.isArray(drafts) ? drafts.filter((draft) => draft?.clientMsgId && draft.content) : [];
  } catch {
    return [];
  }
}
