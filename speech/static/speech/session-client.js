/**
 * One voice session of one reader: starts it, sends its sound, and finds it again after the
 * connection was lost. Needs a Socket.IO socket and nothing of a page.
 *
 * A chunk is kept here until the server has it; after a reconnect those that it does not have are
 * sent again, under the same numbers, so that nothing is lost and nothing is heard twice.
 *
 * Events: `state` (idle, starting, streaming, paused, reconnecting), `transcription` and `vad`
 * (detail: as on the wire), `trouble` (detail: a sentence for the reader), `restart` (the session
 * could not be found again: begin a new recording).
 */

/** @typedef {"idle" | "starting" | "streaming" | "paused" | "reconnecting"} State */

/** Longer than this the server needs for nothing. */
const ANSWER_MS = 10_000;
/** Two minutes of chunks; what is older is given up. */
const MOST_UNSENT = 120;
const RETRY_MS = 1_000;

/** Nothing came back; whether the request arrived is not known. */
export class NoAnswer extends Error {
  constructor() {
    super("The server does not answer. Try again in a moment.");
  }
}

/** A request that was refused; the message is the server's, as a sentence. */
export class Refusal extends Error {
  /** @param {{error: string, code: string, retryAfterMs?: number}} envelope */
  constructor({ error, code, retryAfterMs }) {
    super(sentence(error));
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Ask, and get the data of the answer.
 * @param {any} socket
 * @param {string} event
 * @param {object} [data]
 * @returns {Promise<any>}
 * @throws {Refusal | NoAnswer}
 */
export async function request(socket, event, data = {}) {
  let answer;
  try {
    answer = await socket.timeout(ANSWER_MS).emitWithAck(event, data);
  } catch {
    throw new NoAnswer();
  }
  if (!answer.success) throw new Refusal(answer);
  return answer.data;
}

export class SessionClient extends EventTarget {
  #socket;
  #sessionId = "";
  #resumeKey = "";
  /** @type {State} */
  #state = "idle";
  #seq = 0;
  /** @type {Map<number, {base64: string, mimeType: string}>} */
  #unsent = new Map();
  #sending = false;

  /** @param {any} socket of socket.io-client */
  constructor(socket) {
    super();
    this.#socket = socket;
    socket.on("audio:transcription", (text) => this.#pass("transcription", text));
    socket.on("audio:vad", (activity) => this.#pass("vad", activity));
    socket.on("audio:error", (failed) => {
      if (failed.sessionId === this.#sessionId) this.#tell("trouble", sentence(failed.error));
    });
    socket.on("session:ended", (answer) => {
      if (answer.success && answer.data.reason && answer.data.sessionId === this.#sessionId) {
        this.#forget();
        this.#tell("trouble", "The session has ended because nothing was said for a long time.");
      }
    });
    socket.on("disconnect", () => {
      if (this.#isLive()) this.#become("reconnecting");
    });
    socket.on("connect", () => {
      if (this.#state === "reconnecting") void this.#findAgain();
    });
  }

  get state() {
    return this.#state;
  }

  /** Begin a session and its stream. */
  async start() {
    this.#become("starting");
    try {
      const started = await request(this.#socket, "session:start");
      this.#sessionId = started.sessionId;
      this.#resumeKey = started.resumeKey ?? "";
      await request(this.#socket, "audio:start", { sessionId: this.#sessionId });
    } catch (error) {
      this.#forget();
      throw error;
    }
    this.#seq = 0;
    this.#unsent.clear();
    this.#become("streaming");
  }

  /**
   * Send a piece of the recording, after those before it.
   * @param {string} base64
   * @param {string} mimeType
   */
  send(base64, mimeType) {
    if (!this.#isLive()) return;
    this.#unsent.set(++this.#seq, { base64, mimeType });
    if (this.#unsent.size > MOST_UNSENT) {
      this.#unsent.delete(this.#unsent.keys().next().value ?? 0);
      this.#tell("trouble", "The connection was away for too long; some of the sound is lost.");
    }
    void this.#flush();
  }

  async pause() {
    await this.#settled();
    await request(this.#socket, "session:pause", { sessionId: this.#sessionId });
    this.#become("paused");
  }

  async resume() {
    await request(this.#socket, "session:resume", { sessionId: this.#sessionId });
    this.#become("streaming");
    void this.#flush();
  }

  /** End the session once everything has been sent. */
  async end() {
    if (!this.#isLive()) return;
    if (this.#state === "paused") await this.resume();
    await this.#settled();
    const sessionId = this.#sessionId;
    this.#become("idle");
    await request(this.#socket, "session:end", { sessionId });
  }

  #isLive() {
    return ["streaming", "paused", "reconnecting"].includes(this.#state);
  }

  async #flush() {
    if (this.#sending || this.#state !== "streaming") return;
    this.#sending = true;
    try {
      for (const [seq, chunk] of this.#unsent) {
        await request(this.#socket, "audio:chunk", { sessionId: this.#sessionId, seq, ...chunk });
        this.#unsent.delete(seq);
        if (this.#state !== "streaming") break;
      }
    } catch (error) {
      this.#refused(error);
    } finally {
      this.#sending = false;
      this.dispatchEvent(new Event("flushed"));
    }
  }

  /** @param {unknown} error */
  #refused(error) {
    const isPassing = !(error instanceof Refusal) || ["RATE_LIMITED", "INTERNAL_ERROR"].includes(error.code);
    if (isPassing) {
      // Sending again is safe: what the server has already, it takes once.
      const waitMs = (error instanceof Refusal && error.retryAfterMs) || RETRY_MS;
      setTimeout(() => void this.#flush(), waitMs);
      return;
    }
    this.#tell("trouble", error.message);
    this.#forget();
  }

  /** Wait until every chunk has been sent, or the session is over. */
  async #settled() {
    while (this.#unsent.size > 0 && this.#state !== "idle") {
      await new Promise((resolve) => this.addEventListener("flushed", resolve, { once: true }));
    }
  }

  async #findAgain() {
    const sessionId = this.#sessionId;
    try {
      const key = this.#resumeKey ? { resumeKey: this.#resumeKey } : {};
      const found = await request(this.#socket, "session:start", { sessionId, ...key });
      for (const text of found.transcript ?? []) this.#tell("transcription", text);
      if (found.status === "paused") {
        this.#become("paused");
        return;
      }
      await request(this.#socket, "audio:start", { sessionId, resume: true });
    } catch (error) {
      if (!(error instanceof Refusal)) return; // The next connect tries again.
      // It has ended while the connection was away.
      this.#forget();
      this.#tell("restart", "");
      return;
    }
    this.#become("streaming");
    void this.#flush();
  }

  #forget() {
    this.#unsent.clear();
    this.#become("idle");
    this.dispatchEvent(new Event("flushed"));
  }

  /** @param {State} state */
  #become(state) {
    this.#state = state;
    this.#tell("state", state);
  }

  /** @param {string} name @param {any} detail */
  #pass(name, detail) {
    if (detail.sessionId === this.#sessionId) this.#tell(name, detail);
  }

  /** @param {string} name @param {any} detail */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** @param {string} words a message of the server */
export function sentence(words) {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.?]$/.test(words) ? "" : "."}`;
}
