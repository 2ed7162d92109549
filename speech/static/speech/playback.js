/**
 * Plays PCM as it arrives, without gaps, and falls silent at once; knows what was really heard.
 * Knows no server and no page.
 *
 *     const playback = new Playback({ rateHz: 24_000 });
 *     await playback.open();                         // in the handler of a click or a key press
 *     playback.push(pcm, { item: "item_1" });        // s16le mono, in order, faster than it plays
 *     const heard = playback.clear();                // silence now: { item: "item_1", ms: 740 } or null
 *     playback.addEventListener("idle", () => say("The answer has ended."));
 *
 * Sound is scheduled by the sample on the audio clock, in a context of the sound's own rate, so
 * that nothing is resampled piece by piece.
 */

import { run } from "./sound.js";

/** Before the first sample of a row, and after a gap: what the network may be late. */
const LEAD_S = 0.06;
const MOST_QUEUED_S = 600;
const SAMPLE_BYTES = 2;

/**
 * @typedef {object} Piece Sound that has been scheduled and was not yet heard to its end.
 * @property {AudioBufferSourceNode} source
 * @property {string | null} item
 * @property {number} startS on the clock of the context
 * @property {number} endS
 */

/**
 * Bytes of Base64.
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function fromBase64(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

/**
 * Bytes as Base64.
 * @param {ArrayBuffer | Uint8Array} data
 */
export function toBase64(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  let letters = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    letters += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(letters);
}

/**
 * Events: `playing` (the first sound after silence was scheduled) and `idle` (everything that was
 * pushed has been played, or was cleared away).
 */
export class Playback extends EventTarget {
  #rateHz;
  #makeContext;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {AnalyserNode | null} */
  #analyser = null;
  /** @type {Piece[]} */
  #pieces = [];
  /** @type {Map<string | null, number>} seconds of each item that were played to their end */
  #played = new Map();
  #endS = 0;

  /**
   * @param {object} [options]
   * @param {number} [options.rateHz] of the sound
   * @param {(rateHz: number) => AudioContext} [options.makeContext] for tests
   */
  constructor({ rateHz = 24_000, makeContext = (hz) => new AudioContext({ sampleRate: hz }) } = {}) {
    super();
    this.#rateHz = rateHz;
    this.#makeContext = makeContext;
  }

  get isPlaying() {
    return this.#pieces.length > 0;
  }

  /** What is being played; null if nothing is, or if it has no name. */
  get current() {
    const now = this.#context?.currentTime ?? 0;
    return (this.#pieces.find((piece) => piece.endS > now) ?? this.#pieces[0])?.item ?? null;
  }

  /** Seconds of sound that wait to be played. */
  get queuedS() {
    return this.#context ? Math.max(0, this.#endS - this.#context.currentTime) : 0;
  }

  /** Loudness of what is being played, an amplitude of 0 to 1; for a meter. */
  get level() {
    if (!this.#analyser || !this.isPlaying) return 0;
    const samples = new Float32Array(this.#analyser.fftSize);
    this.#analyser.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
  }

  /**
   * Make sound possible; once is enough. Browsers want a click or a key press around it.
   * @throws {NoSound} of `sound.js`
   */
  async open() {
    if (!this.#context) {
      const context = (this.#context = this.#makeContext(this.#rateHz));
      this.#analyser = context.createAnalyser();
      this.#analyser.fftSize = 512;
      this.#analyser.connect(context.destination);
    }
    await run(this.#context);
  }

  /**
   * Play this after everything that was pushed before.
   * @param {ArrayBuffer | Uint8Array} pcm whole samples, s16le mono
   * @param {object} [about]
   * @param {string | null} [about.item] what it belongs to; `clear` and `playedMs` count by it
   * @returns {boolean} false, and nothing is played, while it is not open or ten minutes wait
   */
  push(pcm, { item = null } = {}) {
    const context = this.#context;
    const bytes = pcm instanceof Uint8Array ? pcm : new Uint8Array(pcm);
    const count = Math.floor(bytes.byteLength / SAMPLE_BYTES);
    if (!context || !this.#analyser || this.queuedS > MOST_QUEUED_S) return false;
    if (!count) return true;
    const buffer = context.createBuffer(1, count, this.#rateHz);
    fill(buffer.getChannelData(0), bytes);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#analyser);
    const wasIdle = !this.isPlaying;
    const startS = this.#startOfNext(context);
    const piece = { source, item, startS, endS: startS + count / this.#rateHz };
    this.#endS = piece.endS;
    this.#pieces.push(piece);
    source.onended = () => this.#ended(piece);
    source.start(startS);
    if (wasIdle) this.dispatchEvent(new Event("playing"));
    return true;
  }

  /**
   * Fall silent at once.
   * @returns {{ item: string | null, ms: number } | null} what was being played, and how much of it
   *   was heard; null if nothing was
   */
  clear() {
    if (!this.#pieces.length) return null;
    const heard = { item: this.current, ms: this.playedMs(this.current) };
    const silenced = this.#pieces;
    this.#pieces = [];
    this.#endS = 0;
    for (const { source } of silenced) {
      source.onended = null;
      source.stop();
      source.disconnect();
    }
    this.#played.clear();
    this.dispatchEvent(new Event("idle"));
    return heard;
  }

  /**
   * How much of an item has been heard, in whole milliseconds; what still is on its way through
   * the loudspeaker does not count.
   * @param {string | null} [item]
   */
  playedMs(item = null) {
    const context = this.#context;
    if (!context) return 0;
    const now = context.currentTime - (context.outputLatency || context.baseLatency || 0);
    let playedS = this.#played.get(item) ?? 0;
    for (const piece of this.#pieces) {
      if (piece.item === item) playedS += Math.max(0, Math.min(now, piece.endS) - piece.startS);
    }
    const samples = Math.round(playedS * this.#rateHz);
    return Math.floor((samples * 1_000) / this.#rateHz);
  }

  /** Fall silent, and give the sound device back. */
  async close() {
    this.clear();
    const context = this.#context;
    this.#context = this.#analyser = null;
    if (context && context.state !== "closed") await context.close();
  }

  /** @param {AudioContext} context */
  #startOfNext(context) {
    const soonest = context.currentTime;
    if (this.#endS > soonest) return this.#endS;
    // On the grid of samples, so that the pieces that follow fit without a seam.
    return Math.ceil((soonest + LEAD_S) * this.#rateHz) / this.#rateHz;
  }

  /** @param {Piece} piece */
  #ended(piece) {
    this.#pieces = this.#pieces.filter((other) => other !== piece);
    const before = this.#played.get(piece.item) ?? 0;
    this.#played.set(piece.item, before + piece.endS - piece.startS);
    if (!this.#pieces.length) this.dispatchEvent(new Event("idle"));
  }
}

/**
 * @param {Float32Array} samples
 * @param {Uint8Array} bytes s16le
 */
function fill(samples, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, samples.length * SAMPLE_BYTES);
  for (let at = 0; at < samples.length; at += 1) {
    samples[at] = view.getInt16(at * SAMPLE_BYTES, true) / 32_768;
  }
}
