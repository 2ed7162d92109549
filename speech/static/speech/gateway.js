/**
 * Live talk with a book over a Socket.IO socket: sound goes in, lines and sound come out. Needs
 * nothing of a page, so that other front ends can use it.
 *
 *     const gateway = new VoiceGateway(socket);
 *     gateway.addEventListener("sound", ({ detail }) => playback.push(detail.pcm, { item: detail.item }));
 *     gateway.addEventListener("clear", () => playback.clear());
 *     gateway.addEventListener("line", ({ detail }) => show(detail));
 *     await gateway.start({ systemMessage: "Be brief.", temperature: 0.8, bookId: 2701 });
 *     gateway.send(pcm);           // ArrayBuffer, s16le mono at RATE_HZ, cut anywhere
 *     await gateway.stop();
 *
 * Events: `phase` (see `phase`), `line` (detail `{role, text, turnId, final}`: text to be appended to
 * the turn, or all of it where final), `sound` (detail `{pcm, item}`), `answer` (detail `{item, isOver}`),
 * `clear` (drop what has not been played) and `trouble` (detail `{message}`, for the reader).
 */

import { fromBase64, toBase64 } from "./playback.js";

/** Of the sound in both directions. */
export const RATE_HZ = 24_000;

/** How long the server may take: a provider is called, or says its last words. */
const ANSWER_MS = 20_000;

/** Words on the `audio` event that are no sound. */
const SESSION_START = "Session start";
const CLEAR = "clear";

/**
 * @typedef {"off" | "connecting" | "on" | "reconnecting" | "ending"} Phase
 *   off: no session. connecting: one is being opened. on: the provider listens. reconnecting: the
 *   provider was lost and is being called again. ending: the last answer is being waited for.
 */

/** The server did not do what was asked; `message` may be shown. */
export class VoiceRefused extends Error {
  name = "VoiceRefused";

  /**
   * @param {string} message
   * @param {string} code of the contract, or `NO_ANSWER`
   */
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

/** One socket's voice. Listens to the socket for as long as that lives. */
export class VoiceGateway extends EventTarget {
  #socket;
  /** @type {Phase} */
  #phase = "off";
  /** @type {string | null} */
  #item = null;

  /** @param {import("socket.io-client").Socket} socket may be shared with other uses */
  constructor(socket) {
    super();
    this.#socket = socket;
    const ears = {
      audio: (/** @type {string} */ word) => this.#hearSound(word),
      audioControl: (/** @type {any} */ control) => this.#hearControl(control),
      transcriptDelta: (/** @type {any} */ line) => this.#fire("line", line),
      state: (/** @type {number} */ state) => { if (state === 2) this.#turn("on"); },
      sessionStatus: (/** @type {{active: boolean}} */ { active }) => { if (!active) this.#turn("off"); },
      error: (/** @type {string} */ message) => this.#fire("trouble", { message }),
      disconnect: () => this.#lose(),
    };
    for (const [event, hear] of Object.entries(ears)) socket.on(event, hear);
  }

  get phase() {
    return this.#phase;
  }

  /**
   * Open a session; back when sound may be sent.
   * @param {object} wishes
   * @param {string} wishes.systemMessage
   * @param {number} wishes.temperature 0 to 2
   * @param {number} [wishes.bookId]
   * @throws {VoiceRefused} `trouble` has been told as well, except for NO_ANSWER
   */
  async start(wishes) {
    this.#item = null;
    this.#turn("connecting");
    try {
      await this.#ask("start", wishes);
    } catch (error) {
      this.#turn("off");
      throw error;
    }
  }

  /** @param {ArrayBuffer | Uint8Array} pcm dropped while there is no session */
  send(pcm) {
    if (this.#phase === "on") this.#socket.emit("sendAudio", { audio: toBase64(pcm) });
  }

  /**
   * Tell how much of an answer was heard, so that an interruption is understood.
   * @param {string} itemId
   * @param {number} ms
   */
  played(itemId, ms) {
    if (this.#phase === "on") this.#socket.emit("audioPlayed", { itemId, ms });
  }

  /** Say the rest, hear the answer for a few seconds, and end. */
  async stop() {
    if (this.#phase === "off") return;
    this.#turn("ending");
    try {
      await this.#ask("stop");
    } finally {
      this.#turn("off");
    }
  }

  /** @param {string} word */
  #hearSound(word) {
    if (word === SESSION_START) return;
    if (word === CLEAR) this.#fire("clear");
    else this.#fire("sound", { pcm: fromBase64(word), item: this.#item });
  }

  /** @param {{type: string, itemId?: string}} control */
  #hearControl({ type, itemId = null }) {
    if (type === "answerStart") this.#item = itemId;
    if (type === "answerStart" || type === "answerEnd") {
      this.#fire("answer", { item: itemId, isOver: type === "answerEnd" });
    }
    if (type === "reconnecting") this.#turn("reconnecting");
  }

  #lose() {
    if (this.#phase === "off") return;
    this.#turn("off");
    this.#fire("clear");
    this.#fire("trouble", { message: "The connection was lost, and the talk with it. Start again in a moment." });
  }

  /** @param {Phase} phase */
  #turn(phase) {
    // What the end of a session is still told must not bring it back.
    if (phase === this.#phase || (phase === "on" && this.#phase === "ending")) return;
    this.#phase = phase;
    this.#fire("phase");
  }

  /**
   * @param {string} event
   * @param {object} [payload]
   */
  async #ask(event, payload = {}) {
    let ack;
    try {
      ack = await this.#socket.timeout(ANSWER_MS).emitWithAck(event, payload);
    } catch {
      throw new VoiceRefused("The server does not answer. Try again in a moment.", "NO_ANSWER");
    }
    if (!ack.ok) throw new VoiceRefused(ack.error, ack.code);
  }

  /**
   * @param {string} name
   * @param {unknown} [detail]
   */
  #fire(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
