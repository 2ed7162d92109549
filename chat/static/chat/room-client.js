/**
 * One reader in one room: joins, stays in step with the room's log whatever the network does,
 * and speaks. Needs a Socket.IO socket and nothing of a page, so that other front ends can use
 * it; the modules it imports come with it.
 *
 *     import { io } from "socket.io-client";
 *     import { RoomClient, TRANSPORTS } from "https://example.org/static/chat/room-client.js";
 *
 *     const socket = io("https://example.org", { ...TRANSPORTS, autoConnect: false });
 *     const room = new RoomClient({
 *       socket, bookId: 2701, reader: { userId: "guest-1", username: "Ishmael", isGuest: true },
 *     });
 *     room.addEventListener("change", () => console.log(room.log.messages, room.outbox.drafts));
 *     room.enter();
 *     room.say("Call me Ishmael.");
 *
 * What it promises: messages are in the order of `seq`, each once, and none is missing before
 * the newest one shown, except for a moment an own one that overtakes the others. What was said
 * stays in `outbox.drafts` until the room has it, and is kept once however often it was sent.
 *
 * Events: `change` (messages or drafts), `status`, `presence`, `arrival` (detail: the wire
 * message that somebody just said), `movement` (detail: a reader, and `came`), `typing`
 * (detail: a reader, and `on`) and `slow` (detail `{untilMs}`: too fast, next message at that time).
 */

import { Asking, NoAnswer, Refusal } from "./asking.js";
import { Follower } from "./follower.js";
import { Membership } from "./membership.js";
import { Outbox } from "./outbox.js";
import { Presence } from "./presence.js";
import { isSame, keyOf } from "./readers.js";

/** @typedef {import("./log.js").WireMessage} WireMessage */
/** @typedef {import("./outbox.js").Draft} Draft */
/** @typedef {import("./outbox.js").Outcome} Outcome */
/** @typedef {import("./readers.js").Reader} Reader */

/** Socket.IO options of every client of ours: websocket first, polling where that is blocked. */
export const TRANSPORTS = Object.freeze({
  transports: ["websocket", "polling"],
  tryAllTransports: true,
});

/** Room events that carry a `seq` and change the room's state. */
const LOGGED = ["newMessage", "messageUpdated", "messageDeleted", "messageRestored", "reactionChanged"];

const RETRY_MS = 2_000;

/** A reader in a room. `enter` once, `leave` when done. */
export class RoomClient extends EventTarget {
  #socket;
  #person;
  #asking;
  #follower;
  #membership;
  #presence;

  /** @type {[string, (...args: any[]) => void][]} */
  #ears;

  /**
   * @param {object} options
   * @param {import("./asking.js").Socket} options.socket of socket.io-client; may be shared with
   *   other rooms and other uses
   * @param {number} options.bookId
   * @param {Reader} options.reader who speaks; for a signed-in reader what the account says
   * @param {readonly WireMessage[]} [options.known] messages that the page already shows
   * @param {boolean} [options.hasOlder] whether there are older ones than those
   * @param {import("./outbox.js").Keeping | null} [options.storage] keeps unsent messages over a
   *   reload
   * @param {() => number} [options.random] in 0..1, for jitter
   */
  constructor({
    socket, bookId, reader, known = [], hasOlder = true, storage = null, random = Math.random,
  }) {
    super();
    this.bookId = bookId;
    this.reader = reader;
    this.#socket = socket;
    this.#asking = new Asking(socket);
    this.#follower = new Follower({
      getMessages: (range) => this.#ask("getMessages", range), known, hasOlder, random,
    });
    const { userId, username } = reader;
    this.#person = { userId, username };
    this.#membership = new Membership({ socket, ask: () => this.#askIn(), random });
    this.#presence = new Presence(() => this.#ask("getPresence"));
    this.outbox = new Outbox({
      send: (draft) => this.#send(draft), storage, key: `readrealm.outbox ${bookId} ${keyOf(reader)}`,
    });
    this.#ears = this.#heard();
    this.#pass();
  }

  /** The room's state; see `log.js`. */
  get log() {
    return this.#follower.log;
  }

  /** Whether there are messages older than the oldest in `log`. */
  get hasOlder() {
    return this.#follower.hasOlder;
  }

  /** Whether this reader is in the room, and if not, why; see `membership.js`. */
  get status() {
    return this.#membership.status;
  }

  /** Readers who are here now, by name. */
  get present() {
    return this.#presence.readers;
  }

  /** How many readers are here now; in a crowd `present` has not all of them. */
  get presentCount() {
    return this.#presence.count;
  }

  /** Connect, and join now and after every reconnection. */
  enter() {
    for (const [event, hear] of this.#ears) this.#socket.on(event, hear);
    this.#membership.enter();
  }

  /** Leave the room. The socket stays, for it may serve other rooms. */
  leave() {
    for (const [event, hear] of this.#ears) this.#socket.off(event, hear);
    if (this.#socket.connected) this.#socket.emit("leaveRoom", { bookId: this.bookId });
    this.#membership.leave();
  }

  /**
   * Say something; it is in `outbox.drafts` at once, and in `log` when the room has it.
   * @param {string} content
   * @param {string | null} [replyTo] id of the message it answers
   */
  say(content, replyTo = null) {
    return this.outbox.add(content, replyTo);
  }

  /**
   * Change the words of an own message.
   * @param {string} messageId
   * @param {string} content
   * @throws {Refusal | NoAnswer}
   */
  async edit(messageId, content) {
    await this.#ask("editMessage", { messageId, content });
  }

  /**
   * Delete an own message; a tombstone stays.
   * @param {string} messageId
   * @throws {Refusal | NoAnswer}
   */
  async delete(messageId) {
    await this.#ask("deleteMessage", { messageId });
  }

  /**
   * @param {string} messageId
   * @param {string} emoji
   * @param {boolean} on
   * @throws {Refusal | NoAnswer}
   */
  async react(messageId, emoji, on) {
    await this.#ask("reactMessage", { messageId, emoji, on });
  }

  /**
   * Bring a message to the moderators' notice.
   * @param {string} messageId
   * @param {string} reason one of the contract's reasons
   * @param {string} note may be empty
   * @throws {Refusal | NoAnswer}
   */
  async report(messageId, reason, note) {
    await this.#ask("reportMessage", { messageId, reason, ...(note && { note }) });
  }

  /**
   * How a message was worded before it was edited; the present wording is the last.
   * @param {string} messageId
   * @returns {Promise<{content: string, writtenAt: string}[]>}
   * @throws {Refusal | NoAnswer}
   */
  async wordings(messageId) {
    return (await this.#ask("getWordings", { messageId })).wordings;
  }

  /**
   * Tell the room that this reader is writing, or has stopped. May get lost without harm.
   * @param {boolean} on
   */
  typing(on) {
    if (this.status.name === "live") this.#socket.emit("typing", { bookId: this.bookId, on });
  }

  /**
   * Fetch the page before the oldest message.
   * @returns {Promise<number>} how many messages came
   * @throws {Refusal | NoAnswer}
   */
  loadOlder() {
    return this.#follower.loadOlder();
  }

  /**
   * Forget old messages of a long sitting; `loadOlder` brings them back.
   * @param {number} count how many to keep
   */
  keepNewest(count) {
    this.#follower.keepNewest(count);
  }

  /** @returns {[string, (...args: any[]) => void][]} */
  #heard() {
    const follower = this.#follower;
    const events = {
      ...this.#membership.ears,
      userJoined: (/** @type {any} */ event) => this.#hearMovement(event, true),
      userLeft: (/** @type {any} */ event) => this.#hearMovement(event, false),
      userTyping: (/** @type {any} */ event) => this.#fire("typing", event),
      roomHead: (/** @type {any} */ { seq, members }) => {
        follower.hearHead(seq);
        if (members !== undefined) this.#presence.hearCount(members);
      },
    };
    for (const type of LOGGED) {
      Object.assign(events, {
        [type]: (/** @type {any} */ event) =>
          follower.hear(type === "newMessage" ? { type, seq: event.seq, message: event } : { ...event, type }),
      });
    }
    return Object.entries(events).map(([event, hear]) => [
      event,
      (argument) => { if (this.#concerns(argument)) hear(argument); },
    ]);
  }

  /** Let what the parts tell pass on, and tell the parts of each other. */
  #pass() {
    this.outbox.addEventListener("change", () => this.#fire("change"));
    this.#presence.addEventListener("change", () => this.#fire("presence"));
    this.#follower.addEventListener("change", () => {
      this.#settleDrafts();
      this.#fire("change");
    });
    this.#follower.addEventListener("arrival", (event) => {
      this.#fire("arrival", /** @type {CustomEvent} */ (event).detail);
    });
    this.#membership.addEventListener("joined", (event) => {
      const { headSeq, greeting } = /** @type {CustomEvent} */ (event).detail;
      this.#follower.start(headSeq, greeting);
      this.#presence.refresh();
    });
    this.#membership.addEventListener("status", () => {
      if (this.status.name === "live") this.outbox.open();
      else {
        this.outbox.close();
        this.#follower.stop();
      }
      this.#fire("status");
    });
  }

  /**
   * @param {import("./presence.js").Movement} movement
   * @param {boolean} came
   */
  #hearMovement(movement, came) {
    this.#presence.hear(movement, came);
    this.#fire("movement", { ...movement, came });
  }

  /** Drafts that the room has are drafts no more, also when the answer to them was lost. */
  #settleDrafts() {
    if (!this.outbox.drafts.length) return;
    for (const message of this.log.messages) {
      const { clientMsgId } = message;
      if (clientMsgId && isSame(message, this.reader)) this.outbox.settle(clientMsgId);
    }
  }

  /**
   * @param {Draft} draft
   * @returns {Promise<Outcome>}
   */
  async #send({ content, replyTo, clientMsgId }) {
    try {
      const words = { content, clientMsgId, ...(replyTo && { replyTo }) };
      const { message } = await this.#ask("chatMessage", { ...this.#person, ...words });
      // Shown at once at its place; the entries before it may still be on their way.
      this.log.merge([message]);
      this.#follower.hear({ type: "newMessage", seq: message.seq, message });
      return { kind: "sent" };
    } catch (error) {
      if (error instanceof NoAnswer) return { kind: "again", inMs: RETRY_MS };
      if (error instanceof Refusal) return this.#refusedDraft(error);
      throw error;
    }
  }

  /**
   * @param {Refusal} refusal
   * @returns {Outcome}
   */
  #refusedDraft(refusal) {
    if (refusal.code === "RATE_LIMITED") {
      this.#fire("slow", { untilMs: Date.now() + refusal.retryAfterMs });
      return { kind: "again", inMs: refusal.retryAfterMs, isAsked: true };
    }
    if (refusal.code === "NOT_IN_ROOM") this.#membership.join();
    if (refusal.code === "NOT_IN_ROOM" || refusal.isPassing) return { kind: "again", inMs: RETRY_MS };
    return { kind: "failed", reason: refusal.message };
  }

  /**
   * @param {string} event
   * @param {object} [payload]
   * @returns {Promise<any>}
   */
  #ask(event, payload = {}) {
    return this.#asking.ask(event, { bookId: this.bookId, ...payload });
  }

  /** @returns {Promise<any>} */
  #askIn() {
    this.#follower.expect();
    return this.#ask("joinRoom", this.#person);
  }

  /**
   * Whether an event is about this room: one socket may sit in several.
   * @param {any} argument
   */
  #concerns(argument) {
    const named = Array.isArray(argument) ? argument[0]?.bookId : argument?.bookId;
    return named === undefined || named === null || named === this.bookId;
  }

  /**
   * @param {string} name
   * @param {unknown} [detail]
   */
  #fire(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
