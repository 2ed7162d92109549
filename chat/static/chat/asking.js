/** Questions over a Socket.IO socket, each with one answer, a refusal or a deadline. */

/**
 * @typedef {object} Socket What is used of a socket of socket.io-client.
 * @property {boolean} connected
 * @property {boolean} active whether it will connect again by itself
 * @property {() => unknown} connect
 * @property {(event: string, ...args: any[]) => unknown} emit
 * @property {(event: string, hear: (...args: any[]) => void) => unknown} on
 * @property {(event: string, hear: (...args: any[]) => void) => unknown} off
 * @property {(ms: number) => {emitWithAck: (event: string, ...args: any[]) => Promise<any>}} timeout
 */

/** Longer than the server's own deadline for the store, ms. */
const DEADLINE_MS = 10_000;

/** Refusals after which the same request may succeed, unchanged. */
const PASSING = new Set(["RATE_LIMITED", "PROVIDER_UNAVAILABLE", "INTERNAL_ERROR"]);

/** The server answered, and said no. The message may be shown to the reader. */
export class Refusal extends Error {
  /** @param {{code?: string, error?: string, retryAfterMs?: number}} reply an error ack */
  constructor({ code = "INTERNAL_ERROR", error = "Something went wrong.", retryAfterMs = 0 }) {
    super(error);
    this.name = "Refusal";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether asking again later can help. */
  get isPassing() {
    return PASSING.has(this.code);
  }
}

/** Nobody answered in time, or the connection was lost: it may have taken effect or not. */
export class NoAnswer extends Error {
  constructor() {
    super("The room did not answer.");
    this.name = "NoAnswer";
  }
}

/** Asks over one socket. */
export class Asking {
  #socket;

  /** @param {Socket} socket */
  constructor(socket) {
    this.#socket = socket;
  }

  /**
   * @param {string} event
   * @param {object} payload
   * @returns {Promise<any>} the acknowledgement, whose `ok` is true
   * @throws {Refusal | NoAnswer}
   */
  async ask(event, payload) {
    // A socket that is not connected would keep the event and send it at some later time.
    if (!this.#socket.connected) throw new NoAnswer();
    let reply;
    try {
      reply = await this.#socket.timeout(DEADLINE_MS).emitWithAck(event, payload);
    } catch {
      throw new NoAnswer();
    }
    if (!reply?.ok) throw new Refusal(reply ?? {});
    return reply;
  }
}
