/** A room's log as a server keeps it: what happened, and the state of every message after it. */

/** @typedef {import("../../../../chat/static/chat/log.js").Entry} Entry */
/** @typedef {import("../../../../chat/static/chat/log.js").WireMessage} WireMessage */

const READERS = [
  { userId: "7", username: "Ada", isGuest: false },
  { userId: "8", username: "Ben", isGuest: false },
  { userId: "guest-1", username: "Cleo", isGuest: true },
];
const EMOJI = ["👍", "❤️", "🤔"];

/**
 * Random numbers that are the same for the same seed (mulberry32).
 * @param {number} seed
 * @returns {() => number} in 0..1
 */
export function randomness(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * @template T
 * @param {readonly T[]} things
 * @param {() => number} random
 * @returns {T[]}
 */
export function shuffled(things, random) {
  const pile = [...things];
  for (let last = pile.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [pile[last], pile[other]] = [pile[other], pile[last]];
  }
  return pile;
}

/** One room's history as it happens. */
export class Story {
  /** @type {Entry[]} */
  entries = [];

  /** @type {WireMessage[][]} all messages after each entry */
  #states = [[]];

  #random;

  /** @param {() => number} random */
  constructor(random) {
    this.#random = random;
  }

  get head() {
    return this.entries.length;
  }

  /**
   * Every message in the state after so many entries, newest first.
   * @param {number} seq
   */
  pageAt(seq) {
    return [...this.#states[Math.min(seq, this.head)]].reverse();
  }

  /**
   * Let so many things happen.
   * @param {number} count
   */
  unfold(count) {
    while (this.head < count) this.#happen();
    return this;
  }

  #happen() {
    const living = this.pageAt(this.head).filter(({ deletedBy }) => !deletedBy);
    const removed = this.pageAt(this.head).filter(({ deletedBy }) => deletedBy);
    const [message] = shuffled(living, this.#random);
    const chance = this.#random();
    if (!message || chance < 0.45) this.say(`said ${this.head + 1}`, this.#one(READERS));
    else if (chance < 0.6) this.edit(message._id, `worded ${this.head + 1}`);
    else if (chance < 0.68) this.delete(message._id);
    else if (chance < 0.72 && removed.length) this.restore(removed[0]._id, "restored words");
    else this.react(message._id, this.#one(EMOJI), this.#random() < 0.6, this.#one(READERS));
  }

  /**
   * @param {string} content
   * @param {{userId: string, username: string, isGuest: boolean}} [reader]
   * @param {string} [clientMsgId]
   */
  say(content, reader = READERS[0], clientMsgId = undefined) {
    const seq = this.head + 1;
    const at = new Date(Date.UTC(2026, 10, 21) + seq * 1000).toISOString();
    const message = {
      _id: String(seq).padStart(24, "0"), bookId: 42, seq, rev: seq, ...reader, content,
      createdAt: at, updatedAt: at, ...(clientMsgId ? { clientMsgId } : {}),
    };
    this.#append({ type: "newMessage", seq, message }, [...this.#now, message]);
    return { id: message._id, message };
  }

  /** @param {string} id @param {string} content */
  edit(id, content) {
    const changes = { content, editedAt: new Date(Date.UTC(2026, 10, 22)).toISOString() };
    this.#restate("messageUpdated", id, changes);
  }

  /** @param {string} id @param {string} content */
  restore(id, content) {
    this.#restate("messageRestored", id, { content, deletedBy: undefined });
  }

  /** @param {string} id */
  delete(id) {
    const seq = this.head + 1;
    const gone = /** @type {Partial<WireMessage>} */ ({
      content: "", deletedBy: "author", reactions: undefined, editedAt: undefined, rev: seq,
    });
    this.#append({ type: "messageDeleted", seq, messageId: id, by: "author" }, this.#with(id, gone));
  }

  /**
   * @param {string} id
   * @param {string} emoji
   * @param {boolean} on
   * @param {{userId: string, isGuest: boolean}} reader
   */
  react(id, emoji, on, { userId, isGuest }) {
    const seq = this.head + 1;
    const given = this.#now.find(({ _id }) => _id === id)?.reactions ?? [];
    const others = given.filter(
      (one) => one.emoji !== emoji || one.userId !== userId || one.isGuest !== isGuest,
    );
    const reactions = on ? [...others, { emoji, userId, isGuest }] : others;
    const entry = { type: "reactionChanged", seq, messageId: id, emoji, on, userId, isGuest };
    this.#append(entry, this.#with(id, { reactions, rev: seq }));
  }

  get #now() {
    return this.#states[this.head];
  }

  /** @param {string} type @param {string} id @param {Partial<WireMessage>} changes */
  #restate(type, id, changes) {
    const seq = this.head + 1;
    const state = this.#with(id, { ...changes, rev: seq });
    this.#append({ type, seq, message: state.find(({ _id }) => _id === id) }, state);
  }

  /** @param {string} id @param {Partial<WireMessage>} changes */
  #with(id, changes) {
    return this.#now.map((message) => (message._id === id ? { ...message, ...changes } : message));
  }

  /** @param {Entry} entry @param {WireMessage[]} state */
  #append(entry, state) {
    this.entries.push(entry);
    this.#states.push(state);
  }

  /**
   * @template T
   * @param {T[]} things
   * @returns {T}
   */
  #one(things) {
    return things[Math.floor(this.#random() * things.length)];
  }
}
