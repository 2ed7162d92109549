/**
 * The present state of one room, made of its events in whatever order they arrive.
 * Knows no socket and no page.
 *
 * A message comes with `rev`, the number of the log entry up to which it is complete. The state
 * with the highest `rev` is the base; what happened later is put on top of it in the order of
 * `seq`. So the same events give the same state in any order, and any event may come twice.
 */

import { keyOf } from "./readers.js";

/** @typedef {{emoji: string, userId: string, isGuest?: boolean}} WireReaction */

/**
 * @typedef {object} WireMessage A message as the server sends it: `Message` of the contract.
 * @property {string} _id
 * @property {number} bookId
 * @property {number} seq place in the room's log
 * @property {number} rev the last log entry that is contained in this state
 * @property {string} userId
 * @property {string} username
 * @property {boolean} [isGuest]
 * @property {boolean} [isAi]
 * @property {string} content empty on a tombstone
 * @property {string} createdAt ISO 8601, UTC
 * @property {string} updatedAt ISO 8601, UTC
 * @property {string} [clientMsgId]
 * @property {string} [replyTo] `_id` of the message it answers
 * @property {number} [replyToSeq]
 * @property {string} [editedAt]
 * @property {"author" | "moderator"} [deletedBy]
 * @property {WireReaction[]} [reactions]
 */

/**
 * @typedef {object} Entry One thing that happened in a room: a room event of the contract.
 * @property {string} type the event's name, such as `newMessage`
 * @property {number} seq
 * @property {WireMessage} [message]
 * @property {string} [messageId]
 * @property {"author" | "moderator"} [by]
 * @property {string} [emoji]
 * @property {boolean} [on]
 * @property {string} [userId]
 * @property {boolean} [isGuest]
 */

/**
 * @typedef {object} Message A message as a page shows it; a new object whenever it changes.
 * @property {string} id
 * @property {number} seq
 * @property {string} userId
 * @property {string} username
 * @property {boolean} isGuest
 * @property {boolean} isAi
 * @property {string} content
 * @property {string} createdAt
 * @property {string | null} clientMsgId
 * @property {string | null} replyTo
 * @property {string | null} editedAt
 * @property {"author" | "moderator" | null} deletedBy
 * @property {ReadonlyMap<string, readonly string[]>} reactions emoji to the keys of the readers who
 *   gave it; both sorted
 */

/**
 * @typedef {object} Kept What is known of one message.
 * @property {WireMessage | null} base null while only later events about it have arrived
 * @property {Map<number, Entry>} later entries after the base, by `seq`
 * @property {Message | null} shown made when asked for
 */

/** The state of one room. */
export class RoomLog {
  /** @type {Map<string, Kept>} */
  #kept = new Map();

  /** @type {string[]} ids of the messages that have a base, in `seq` order */
  #order = [];

  /** @type {readonly Message[] | null} */
  #messages = null;

  /** Messages in `seq` order. The array and its members are the same until something changes. */
  get messages() {
    this.#messages ??= Object.freeze(this.#order.map((id) => this.#show(id)));
    return this.#messages;
  }

  /** `seq` of the oldest message, or 0. */
  get oldestSeq() {
    return this.#seqAt(0);
  }

  /** `seq` of the newest message, or 0. */
  get newestSeq() {
    return this.#seqAt(this.#order.length - 1);
  }

  /**
   * @param {string} id
   * @returns {Message | null}
   */
  find(id) {
    return this.#kept.get(id)?.base ? this.#show(id) : null;
  }

  /** Forget everything. */
  clear() {
    this.#kept.clear();
    this.#order = [];
    this.#messages = null;
  }

  /**
   * Forget all but the newest messages, so that a page that stays open does not grow for ever.
   * @param {number} count how many to keep
   */
  keepNewest(count) {
    for (const id of this.#order.splice(0, Math.max(0, this.#order.length - count))) {
      this.#kept.delete(id);
    }
    for (const [id, { base }] of this.#kept) if (!base) this.#kept.delete(id);
    this.#messages = null;
  }

  /**
   * Take messages in the state that they carry.
   * @param {readonly WireMessage[]} messages in any order
   */
  merge(messages) {
    for (const message of messages) this.#settle(message);
  }

  /**
   * Take one entry of the room's log. One that is already known changes nothing.
   * @param {Entry} entry
   */
  apply(entry) {
    if (entry.message) this.#settle(entry.message);
    else if (entry.messageId) this.#amend(entry.messageId, entry);
    // Else it is of a later contract: it takes its place in the log and shows nothing.
  }

  /** @param {WireMessage} message */
  #settle(message) {
    const kept = this.#touch(message._id);
    if (!kept.base) this.#insert(message._id, message.seq);
    if (kept.base && kept.base.rev >= message.rev) return;
    kept.base = message;
    for (const seq of kept.later.keys()) if (seq <= message.rev) kept.later.delete(seq);
  }

  /**
   * @param {string} id
   * @param {Entry} entry
   */
  #amend(id, entry) {
    const kept = this.#touch(id);
    if (entry.seq > (kept.base?.rev ?? 0)) kept.later.set(entry.seq, entry);
  }

  /**
   * @param {string} id
   * @returns {Kept}
   */
  #touch(id) {
    let kept = this.#kept.get(id);
    if (!kept) {
      kept = { base: null, later: new Map(), shown: null };
      this.#kept.set(id, kept);
    }
    kept.shown = null;
    this.#messages = null;
    return kept;
  }

  /**
   * @param {string} id
   * @param {number} seq
   */
  #insert(id, seq) {
    let place = this.#order.length;
    while (place > 0 && this.#seqAt(place - 1) > seq) place -= 1;
    this.#order.splice(place, 0, id);
  }

  /** @param {number} place */
  #seqAt(place) {
    return this.#kept.get(this.#order[place])?.base?.seq ?? 0;
  }

  /**
   * @param {string} id a message that has a base
   * @returns {Message}
   */
  #show(id) {
    const kept = /** @type {Kept} */ (this.#kept.get(id));
    kept.shown ??= shown(/** @type {WireMessage} */ (kept.base), kept.later);
    return kept.shown;
  }
}

/**
 * @param {WireMessage} base
 * @param {Map<number, Entry>} later
 * @returns {Message}
 */
function shown(base, later) {
  let deletedBy = base.deletedBy ?? null;
  /** @type {Set<string>} */
  const given = new Set((base.reactions ?? []).map(reactionKey));
  for (const seq of [...later.keys()].sort((a, b) => a - b)) {
    const entry = /** @type {Entry} */ (later.get(seq));
    if (entry.type === "messageDeleted") deletedBy = entry.by ?? "author";
    if (entry.type === "reactionChanged") {
      const key = reactionKey(/** @type {WireReaction} */ (entry));
      if (entry.on) given.add(key);
      else given.delete(key);
    }
  }
  return Object.freeze({
    id: base._id,
    seq: base.seq,
    userId: base.userId,
    username: base.username,
    isGuest: base.isGuest ?? false,
    isAi: base.isAi ?? false,
    content: deletedBy ? "" : base.content,
    createdAt: base.createdAt,
    clientMsgId: base.clientMsgId ?? null,
    replyTo: base.replyTo ?? null,
    editedAt: deletedBy ? null : base.editedAt ?? null,
    deletedBy,
    reactions: deletedBy ? new Map() : byEmoji(given),
  });
}

/** @param {WireReaction} reaction */
function reactionKey(reaction) {
  return `${reaction.emoji}\n${keyOf(reaction)}`;
}

/**
 * @param {Set<string>} given
 * @returns {Map<string, string[]>}
 */
function byEmoji(given) {
  /** @type {Map<string, string[]>} */
  const readers = new Map();
  for (const key of [...given].sort()) {
    const [emoji, reader] = key.split("\n");
    readers.set(emoji, [...(readers.get(emoji) ?? []), reader]);
  }
  return readers;
}
