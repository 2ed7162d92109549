/**
 * Whether a reader is in a room: connects, joins, comes back after every interruption, and
 * stays out when told to. Knows no message and no page.
 */

import { NoAnswer, Refusal } from "./asking.js";

/** @typedef {import("./log.js").WireMessage} WireMessage */

/**
 * @typedef {object} Status
 * @property {"idle" | "connecting" | "live" | "reconnecting" | "refused" | "removed"} name
 *   `refused`: the server does not take this reader in; `removed`: a moderator's decision
 * @property {string} [reason] in words, when refused or removed
 * @property {string} [code] when refused
 * @property {"timeout" | "ban"} [action] when removed
 * @property {string | null} [until] ISO 8601, when removed for a time
 * @property {boolean} [isPlanned] when reconnecting: the server said before that it would restart
 */

/** @typedef {{headSeq: number, greeting: WireMessage[]}} Joined */

const RETRY_MS = 2_000;

/** A longer timer would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One reader's membership. Fires `status`, and `joined` with a `Joined` as its detail. */
export class Membership extends EventTarget {
  /** @type {Status} */
  status = { name: "idle" };

  #socket;
  #ask;
  #random;

  /** @type {WireMessage[]} the greeting of the current attempt to join */
  #greeting = [];

  /** How long the server asked to wait at most before it went away on purpose, ms; 0: it did not. */
  #restartMs = 0;

  /** Counts attempts, so that the answer to an old one is not taken for that to a new one. */
  #attempt = 0;

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {object} options
   * @param {import("./asking.js").Socket} options.socket
   * @param {() => Promise<{headSeq: number}>} options.ask asks to join
   * @param {() => number} options.random in 0..1
   */
  constructor({ socket, ask, random }) {
    super();
    this.#socket = socket;
    this.#ask = ask;
    this.#random = random;
  }

  /** What the socket has to tell, by event. */
  get ears() {
    return {
      connect: () => this.join(),
      disconnect: (/** @type {string} */ reason) => this.#cutOff(reason),
      connect_error: (/** @type {any} */ error) => this.#notConnected(error),
      previousMessages: (/** @type {WireMessage[]} */ messages) => { this.#greeting = messages; },
      serverRestart: (/** @type {{retryInMs: number}} */ { retryInMs }) => {
        this.#restartMs = Math.max(retryInMs, 1);
      },
      moderationNotice: (/** @type {any} */ notice) => this.#noticed(notice),
    };
  }

  /** Enter as soon as there is a connection. */
  enter() {
    this.#become({ name: "connecting" });
    if (this.#socket.connected) this.join();
    else this.#socket.connect();
  }

  /** Stop trying. */
  leave() {
    this.#attempt += 1;
    clearTimeout(this.#timer);
    this.#become({ name: "idle" });
  }

  /** Ask to be let in, on a connection that stands. */
  async join() {
    if (this.status.name === "removed") return;
    const attempt = (this.#attempt += 1);
    this.#greeting = [];
    try {
      const { headSeq } = await this.#ask();
      if (attempt !== this.#attempt) return;
      this.#restartMs = 0;
      this.#become({ name: "live" });
      this.dispatchEvent(new CustomEvent("joined", { detail: { headSeq, greeting: this.#greeting } }));
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof NoAnswer)) throw error;
      if (attempt === this.#attempt) this.#notJoined(error);
    }
  }

  /** @param {Refusal | NoAnswer} error */
  #notJoined(error) {
    if (error instanceof Refusal && !error.isPassing) {
      this.#become({ name: "refused", code: error.code, reason: error.message });
      return;
    }
    if (!this.#socket.connected) return; // the next connection joins
    const askedMs = error instanceof Refusal ? error.retryAfterMs : 0;
    this.#later(askedMs || this.#aWhile(), () => this.join());
  }

  /** @param {string} reason */
  #cutOff(reason) {
    this.#attempt += 1;
    if (this.status.name === "removed" || this.status.name === "refused") return;
    this.#reconnecting();
    // socket.io-client leaves it to us to come back when the server closed the connection.
    if (reason !== "io server disconnect") return;
    const waitMs = this.#restartMs ? this.#restartMs * this.#random() : this.#aWhile();
    this.#later(waitMs, () => this.#socket.connect());
  }

  /** @param {Error & {data?: {code?: string}}} error */
  #notConnected(error) {
    if (error.data?.code === "UNAUTHENTICATED") {
      this.#become({ name: "refused", code: error.data.code, reason: error.message });
      return;
    }
    if (this.status.name !== "removed") this.#reconnecting();
    if (!this.#socket.active) this.#later(this.#aWhile(), () => this.#socket.connect());
  }

  /** @param {{action: string, until?: string | null, reason?: string | null}} notice */
  #noticed({ action, until = null, reason }) {
    this.#attempt += 1;
    clearTimeout(this.#timer);
    if (action === "unban") return this.#return();
    this.#become({
      name: "removed",
      action: action === "ban" ? "ban" : "timeout",
      until,
      reason: reason ?? "",
    });
    if (!until) return;
    const leftMs = Math.max(Date.parse(until) - Date.now(), 0) + this.#aWhile();
    if (leftMs <= LONGEST_TIMER_MS) this.#later(leftMs, () => this.#return());
  }

  #reconnecting() {
    this.#become({ name: "reconnecting", ...(this.#restartMs && { isPlanned: true }) });
  }

  #return() {
    this.#become({ name: "connecting" });
    if (this.#socket.connected) this.join();
  }

  /**
   * @param {number} ms
   * @param {() => void} act
   */
  #later(ms, act) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, ms);
  }

  #aWhile() {
    return RETRY_MS * (0.5 + this.#random());
  }

  /** @param {Status} status */
  #become(status) {
    this.status = status;
    this.dispatchEvent(new CustomEvent("status"));
  }
}
