/**
 * Readers and writers of book rooms, as the page has them: its own `RoomClient` over npm's
 * socket.io-client. Hears one JSON value a line, `["write"]`, `["rest"]`, `["status"]` or
 * `["finish", path]`, and answers each with one.
 *
 * Of each reader everything is kept that can be judged later: what was tried, what was
 * acknowledged, what arrived when, and what is shown at the end. Times are Unix time in ms.
 */

import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { io } from "socket.io-client";
import { RoomClient } from "../../chat/static/chat/room-client.js";

const { url, readers: wanted, everyMs } = JSON.parse(process.argv[2]);

/** Shares of a writer's turns in which something else than a message is tried. */
const EDITS = 0.08;
const REACTIONS = 0.08;

/** How far back somebody edits or reacts. */
const RECENT = 20;

class Reader {
  tried = [];
  acked = [];
  arrived = [];
  edited = [];
  reacted = [];
  retried = 0;
  connections = 0;
  #isWriting = false;
  #reactedTo = new Set();

  constructor({ userId, bookId, transports, writes }) {
    Object.assign(this, { userId, bookId, transports, writes });
    this.socket = io(url, { transports, autoConnect: false, forceNew: true });
    this.socket.on("connect", () => { this.connections += 1; });
    this.#overhear();
    const reader = { userId, username: userId, isGuest: true };
    this.room = new RoomClient({ socket: this.socket, bookId, reader, hasOlder: false });
    this.room.addEventListener("arrival", ({ detail: { _id, seq } }) => {
      this.arrived.push({ id: _id, seq, at: Date.now() });
    });
    this.room.outbox.addEventListener("change", () => this.#retryFailed());
    this.room.enter();
  }

  /** Keep the acknowledgements that the server gives to messages, under the client's nose. */
  #overhear() {
    const timeout = this.socket.timeout.bind(this.socket);
    this.socket.timeout = (ms) => ({
      emitWithAck: async (event, payload) => {
        const reply = await timeout(ms).emitWithAck(event, payload);
        if (event === "chatMessage" && reply?.ok) {
          const { _id: id, seq } = reply.message;
          this.acked.push({ clientMsgId: payload.clientMsgId, id, seq, at: Date.now() });
        }
        return reply;
      },
    });
  }

  /** What a reader does who is told "not sent": says it again. */
  #retryFailed() {
    for (const { state, clientMsgId } of this.room.outbox.drafts) {
      if (state !== "failed") continue;
      this.retried += 1;
      setTimeout(() => this.room.outbox.retry(clientMsgId), 100);
    }
  }

  write() {
    if (!this.writes || this.#isWriting) return;
    this.#isWriting = true;
    this.#turn();
  }

  rest() {
    this.#isWriting = false;
  }

  #turn() {
    if (!this.#isWriting) return;
    const dice = Math.random();
    if (dice < EDITS) this.#edit();
    else if (dice < EDITS + REACTIONS) this.#react();
    else if (!this.room.outbox.isFull) {
      const { clientMsgId, content } = this.room.say(`${this.userId} ${this.tried.length}`);
      this.tried.push({ clientMsgId, content, at: Date.now() });
    }
    setTimeout(() => this.#turn(), everyMs * (0.5 + Math.random()));
  }

  async #edit() {
    const own = this.room.log.messages.slice(-RECENT).filter(({ userId }) => userId === this.userId);
    const message = own[Math.floor(Math.random() * own.length)];
    if (!message) return;
    const content = `${message.content}.`;
    try {
      await this.room.edit(message.id, content);
      this.edited.push({ id: message.id, content });
    } catch { /* no answer, or a refusal: nothing was promised */ }
  }

  async #react() {
    const recent = this.room.log.messages.slice(-RECENT);
    const message = recent[Math.floor(Math.random() * recent.length)];
    if (!message || this.#reactedTo.has(message.id)) return;
    this.#reactedTo.add(message.id);
    try {
      await this.room.react(message.id, "🐋", true);
      this.reacted.push({ id: message.id });
    } catch { /* no answer, or a refusal: nothing was promised */ }
  }

  get status() {
    const { log, outbox, status } = this.room;
    return {
      bookId: this.bookId, status: status.name, waiting: outbox.drafts.length,
      shown: log.messages.length, newest: log.newestSeq, state: digest(log.messages),
    };
  }

  get story() {
    const { userId, bookId, transports, writes, tried, acked, arrived, edited, reacted, retried, connections } = this;
    return {
      userId, bookId, transports, writes, tried, acked, arrived, edited, reacted, retried, connections,
      shown: this.room.log.messages.map(asShown),
    };
  }
}

function asShown({ id, seq, content, clientMsgId, userId, reactions }) {
  const given = [...reactions].flatMap(([emoji, readers]) => readers.map((reader) => [emoji, reader]));
  return { id, seq, content, clientMsgId, userId, reactions: given };
}

/** One number for everything that is shown; Fowler, Noll and Vo's FNV-1a, 32 bit. */
function digest(messages) {
  let hash = 0x811c9dc5;
  for (const letter of JSON.stringify(messages.map(asShown))) {
    hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193) >>> 0;
  }
  return hash;
}

const readers = wanted.map((one) => new Reader(one));
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const [what, path] = JSON.parse(line);
  if (what === "write") for (const reader of readers) reader.write();
  if (what === "rest") for (const reader of readers) reader.rest();
  if (what === "finish") writeFileSync(path, JSON.stringify(readers.map(({ story }) => story)));
  say([what, what === "status" ? readers.map(({ status }) => status) : null]);
  if (what === "finish") process.exit(0);
}
