/**
 * A microphone as a stream of PCM blocks, at any rate, on every device: the browser's end of
 * `capture-worklet.js`. Knows no server and no page.
 *
 *     const microphone = new Microphone({ workletUrl, rateHz: 24_000 });
 *     microphone.addEventListener("block", ({ detail }) => send(detail.pcm));
 *     microphone.addEventListener("level", ({ detail }) => meter.show(detail.rms, detail.peak));
 *     microphone.addEventListener("lost", () => say("The microphone was unplugged."));
 *     try { await microphone.open(); } catch (error) { say(error.message); }   // MicrophoneRefused
 *     …
 *     await microphone.close();
 *
 * `open` belongs into the handler of a click or a key press: browsers ask for permission, and let
 * sound run, only then.
 */

import { NO_SOUND, run } from "./sound.js";

/** @typedef {"insecure" | "unsupported" | "denied" | "missing" | "busy" | "silent" | "failed"} Reason */

/** Why there is no sound, in words for the reader. */
const WORDS = Object.freeze({
  insecure: "A browser gives a microphone only to pages that come by https. Open this page with https.",
  unsupported: "This browser cannot record sound here. A current Firefox, Chrome, Edge or Safari can.",
  denied: "The microphone is not allowed. Open the site settings beside the address, allow the microphone, and try again.",
  missing: "No microphone was found. Plug one in or switch it on, and try again.",
  busy: "The microphone is used by something else. Close the other programme or tab, and try again.",
  silent: NO_SOUND,
  failed: "The microphone could not be opened. Try again.",
});

/** @type {Record<string, Reason>} Names of the Media Capture specification. */
const REASONS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
  NoSound: "silent",
};

/**
 * What a browser does to speech before it is sent. A loudspeaker may be on, so echoes are taken
 * out; noise is left in, for recognisers hear worse what was cleaned (docs/voice.md).
 * @type {MediaTrackConstraints}
 */
export const SPEECH = Object.freeze({
  channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: true,
});

/** There is no microphone to be had; `message` says to the reader what to do. */
export class MicrophoneRefused extends Error {
  name = "MicrophoneRefused";

  /** @param {Reason} reason */
  constructor(reason) {
    super(WORDS[reason]);
    this.reason = reason;
  }

  /**
   * @param {unknown} error of the browser
   * @returns {MicrophoneRefused}
   */
  static because(error) {
    return new MicrophoneRefused(REASONS[/** @type {Error} */ (error).name] ?? "failed");
  }
}

/** How long the rest of the sound may take to come from the audio thread. */
const FLUSH_MS = 500;

/**
 * Events: `block` (detail `{ pcm: ArrayBuffer }`, s16le mono), `level` (detail `{ rms, peak }`,
 * amplitudes of 0 to 1, some forty a second) and `lost` (the device has gone; call `close`).
 */
export class Microphone extends EventTarget {
  #workletUrl;
  #rateHz;
  #blockMs;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {AudioWorkletNode | null} */
  #node = null;
  /** @type {() => void} */
  #flushed = () => {};

  /**
   * @param {object} options
   * @param {string} options.workletUrl where `capture-worklet.js` is; its name carries a hash
   * @param {number} [options.rateHz] of the blocks
   * @param {number} [options.blockMs] length of a block
   */
  constructor({ workletUrl, rateHz = 24_000, blockMs = 100 }) {
    super();
    this.#workletUrl = workletUrl;
    this.#rateHz = rateHz;
    this.#blockMs = blockMs;
  }

  get isOpen() {
    return this.#node !== null;
  }

  /**
   * Ask for the microphone, and let it run; once is enough.
   * @throws {MicrophoneRefused}
   */
  async open() {
    if (this.#context) return;
    if (!globalThis.isSecureContext) throw new MicrophoneRefused("insecure");
    if (!navigator.mediaDevices?.getUserMedia || !globalThis.AudioWorkletNode) {
      throw new MicrophoneRefused("unsupported");
    }
    // At the device's own rate: Firefox connects a microphone to no other.
    const context = (this.#context = new AudioContext());
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio: SPEECH });
      await context.audioWorklet.addModule(this.#workletUrl);
      await run(context);
      this.#connect(context, this.#stream);
    } catch (error) {
      await this.close();
      throw MicrophoneRefused.because(error);
    }
  }

  /** Give away the block that has begun, as a shorter one; back when it has been. */
  async flush() {
    const node = this.#node;
    if (!node) return;
    await new Promise((resolve) => {
      const late = setTimeout(resolve, FLUSH_MS);
      this.#flushed = () => { clearTimeout(late); resolve(undefined); };
      node.port.postMessage("flush");
    });
  }

  /** Give the microphone back; the light beside it goes out. */
  async close() {
    const [context, stream, node] = [this.#context, this.#stream, this.#node];
    this.#context = this.#stream = this.#node = null;
    node?.port.postMessage("stop");
    node?.disconnect();
    for (const track of stream?.getTracks() ?? []) track.stop();
    if (context && context.state !== "closed") await context.close();
  }

  /**
   * @param {AudioContext} context
   * @param {MediaStream} stream
   */
  #connect(context, stream) {
    const node = new AudioWorkletNode(context, "readrealm-capture", {
      numberOfOutputs: 0,
      processorOptions: { rateHz: this.#rateHz, blockMs: this.#blockMs },
    });
    node.port.onmessage = ({ data }) => this.#hear(data);
    context.createMediaStreamSource(stream).connect(node);
    for (const track of stream.getAudioTracks()) {
      track.addEventListener("ended", () => this.#fire("lost"));
    }
    this.#node = node;
  }

  /** @param {{ level?: { rms: number, peak: number }, pcm?: ArrayBuffer, isRest?: boolean }} news */
  #hear({ level, pcm, isRest }) {
    if (level) this.#fire("level", level);
    if (pcm?.byteLength) this.#fire("block", { pcm });
    if (isRest) this.#flushed();
  }

  /**
   * @param {string} name
   * @param {unknown} [detail]
   */
  #fire(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
