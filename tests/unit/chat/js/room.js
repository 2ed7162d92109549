/** A server and its sockets in memory, with a network that loses what it is told to lose. */

import { Story, randomness } from "./story.js";

/** Let every promise that can go on, go on. */
export async function settled() {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done));
}

/** Storage in memory. */
export class MemoryKeeping {
  #items = new Map();

  /** @param {string} key */
  getItem(key) {
    return this.#items.get(key) ?? null;
  }

  /** @param {string} key @param {string} value */
  setItem(key, value) {
    this.#items.set(key, value);
  }

  /** @param {string} key */
  removeItem(key) {
    this.#items.delete(key);
  }
}

/** What a socket of socket.io-client shows of itself. */
export class FakeSocket {
  connected = false;
  active = true;

  /** @type {[string, any][]} everything that was emitted or asked */
  sent = [];

  /** Whether a message, or an answer, gets lost; set by tests. */
  losesMessage = () => false;
  losesAnswer = () => false;

  /** @type {Map<string, Set<(...args: any[]) => void>>} */
  #ears = new Map();

  /** @type {Set<(error: Error) => void>} */
  #waiting = new Set();

  #room;

  /** @param {FakeRoom} room */
  constructor(room) {
    this.#room = room;
    room.sockets.add(this);
  }

  connect() {
    if (this.connected || this.#room.isDown) return;
    this.connected = true;
    queueMicrotask(() => this.hear("connect"));
  }

  /** The connection breaks. @param {string} [reason] */
  cut(reason = "transport close") {
    if (!this.connected) return;
    this.connected = false;
    this.#room.members.delete(this);
    for (const fail of this.#waiting) fail(new Error("disconnected"));
    this.#waiting.clear();
    this.hear("disconnect", reason);
  }

  /** @param {string} event @param {(...args: any[]) => void} hear */
  on(event, hear) {
    this.#ears.set(event, (this.#ears.get(event) ?? new Set()).add(hear));
  }

  /** @param {string} event @param {(...args: any[]) => void} hear */
  off(event, hear) {
    this.#ears.get(event)?.delete(hear);
  }

  /** @param {string} event @param {...any} args */
  hear(event, ...args) {
    for (const hear of this.#ears.get(event) ?? []) hear(...args);
  }

  /** @param {string} event @param {any} payload */
  emit(event, payload) {
    this.sent.push([event, payload]);
  }

  /** @param {number} _ms */
  timeout(_ms) {
    return {
      emitWithAck: (/** @type {string} */ event, /** @type {any} */ payload) => this.#ask(event, payload),
    };
  }

  /** @param {string} event @param {any} payload */
  #ask(event, payload) {
    this.sent.push([event, payload]);
    return new Promise((answer, fail) => {
      this.#waiting.add(fail);
      setImmediate(() => {
        if (!this.connected) return;
        const reply = this.#room.answer(this, event, payload);
        if (this.losesAnswer()) fail(new Error("timeout"));
        else answer(reply);
        this.#waiting.delete(fail);
      });
    });
  }
}

/** A room of the contract: one log, whoever is in it. */
export class FakeRoom {
  /** @type {Set<FakeSocket>} */
  sockets = new Set();

  /** @type {Map<FakeSocket, {userId: string, username: string, isGuest: boolean}>} */
  members = new Map();

  story = new Story(randomness(1));
  isDown = false;

  /** @type {Record<string, (payload: any) => any>} answers in place of the usual ones, by event */
  answers = {};

  bookId = 42;

  /** @param {FakeSocket} socket @param {string} event @param {any} payload */
  answer(socket, event, payload) {
    if (this.answers[event]) return this.answers[event](payload);
    switch (event) {
      case "joinRoom":
        return this.#join(socket, payload);
      case "chatMessage":
        return this.#say(socket, payload);
      case "getMessages":
        return { ok: true, ...this.#page(payload) };
      case "getPresence":
        return { ok: true, count: this.members.size, members: [...this.members.values()] };
      default:
        return { ok: true };
    }
  }

  /** Tell every member. @param {string} event @param {any} payload */
  tell(event, payload) {
    for (const socket of this.members.keys()) {
      if (!socket.losesMessage()) socket.hear(event, payload);
    }
  }

  /** Tell of the newest entry of the log. */
  tellNewest() {
    this.tellOf(this.story.head);
  }

  /** @param {number} seq */
  tellOf(seq) {
    const { type, message, ...rest } = this.story.entries[seq - 1];
    this.tell(type, type === "newMessage" ? message : { bookId: 42, ...rest, ...(message && { message }) });
  }

  /** @param {FakeSocket} socket @param {any} payload */
  #join(socket, { userId, username }) {
    this.members.set(socket, { userId, username, isGuest: true });
    const newest = this.story.pageAt(this.story.head).filter(({ deletedBy }) => !deletedBy);
    socket.hear("previousMessages", newest.slice(0, 50));
    return { ok: true, bookId: 42, headSeq: this.story.head, members: this.members.size };
  }

  /** @param {FakeSocket} socket @param {any} payload */
  #say(socket, { content, clientMsgId }) {
    const reader = this.members.get(socket);
    if (!reader) return { ok: false, code: "NOT_IN_ROOM", error: "join the room first" };
    const kept = this.story.pageAt(this.story.head).find((one) => one.clientMsgId === clientMsgId);
    if (kept) return { ok: true, message: kept };
    const { message } = this.story.say(content, reader, clientMsgId);
    this.tellNewest();
    return { ok: true, message };
  }

  /** @param {{afterSeq?: number, beforeSeq?: number, limit: number}} range */
  #page({ afterSeq, beforeSeq, limit }) {
    const head = this.story.head;
    const up = afterSeq !== undefined;
    const from = up ? afterSeq : Math.max((beforeSeq ?? head + 1) - 1 - limit, 0);
    const to = up ? Math.min(afterSeq + limit, head) : (beforeSeq ?? head + 1) - 1;
    const entries = this.story.entries.slice(from, to);
    const present = new Map(this.story.pageAt(head).map((message) => [message._id, message]));
    return {
      messages: entries.filter(({ type }) => type === "newMessage")
        .map(({ message }) => present.get(message?._id ?? "")),
      events: entries.filter(({ type }) => type !== "newMessage"),
      headSeq: head,
      hasMore: up ? to < head : from > 0,
    };
  }
}
