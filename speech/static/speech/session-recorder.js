/** The microphone: a recording in pieces, and how loud it is. */

import { MicrophoneRefused, SPEECH } from "./microphone.js";

const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
const LEAST_PIECE_MS = 100;
/** Below this the meter shows nothing; dBFS. */
const QUIET_DB = -60;

/** Fires `lost` when the device has gone. */
export class Recorder extends EventTarget {
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {MediaRecorder | null} */
  #recorder = null;
  /** @type {AudioContext | null} */
  #context = null;
  #frame = 0;
  #onPiece;
  #onLevel;
  /** Pieces become text one after the other: they must not overtake each other. */
  #encoding = Promise.resolve();

  /**
   * @param {(base64: string, mimeType: string) => void} onPiece
   * @param {(level: number) => void} onLevel 0 to 1
   */
  constructor(onPiece, onLevel) {
    super();
    this.#onPiece = onPiece;
    this.#onLevel = onLevel;
  }

  get isOpen() {
    return this.#stream !== null;
  }

  /**
   * Ask for the microphone; nothing is recorded yet.
   * @throws {MicrophoneRefused}
   */
  async open() {
    if (!globalThis.isSecureContext) throw new MicrophoneRefused("insecure");
    const type = TYPES.find((each) => globalThis.MediaRecorder?.isTypeSupported(each));
    if (!navigator.mediaDevices || !type) throw new MicrophoneRefused("unsupported");
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio: SPEECH });
    } catch (error) {
      throw MicrophoneRefused.because(error);
    }
    for (const track of this.#stream.getTracks()) {
      track.addEventListener("ended", () => this.dispatchEvent(new Event("lost")));
    }
    this.#watchLevel();
  }

  /** @param {number} pieceMs */
  start(pieceMs) {
    if (!this.#stream) throw new Error("open it first");
    const mimeType = TYPES.find((each) => MediaRecorder.isTypeSupported(each));
    const recorder = new MediaRecorder(this.#stream, { mimeType });
    recorder.addEventListener("dataavailable", ({ data }) => {
      if (data.size === 0) return;
      this.#encoding = this.#encoding.then(async () => {
        this.#onPiece(await base64Of(data), recorder.mimeType);
      });
    });
    recorder.start(Math.max(LEAST_PIECE_MS, pieceMs));
    this.#recorder = recorder;
  }

  pause() {
    this.#recorder?.pause();
  }

  resume() {
    this.#recorder?.resume();
  }

  /** End the recording; back when its last piece has been handed over. */
  async stop() {
    const recorder = this.#recorder;
    this.#recorder = null;
    if (recorder && recorder.state !== "inactive") {
      const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
      recorder.stop();
      await stopped;
    }
    await this.#encoding;
  }

  /** Give the microphone back. */
  close() {
    cancelAnimationFrame(this.#frame);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    void this.#context?.close();
    this.#stream = this.#context = null;
    this.#onLevel(0);
  }

  #watchLevel() {
    if (!this.#stream) return;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 1024 });
    context.createMediaStreamSource(this.#stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const look = () => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      const db = 10 * Math.log10(power + 1e-12);
      this.#onLevel(Math.min(1, Math.max(0, 1 - db / QUIET_DB)));
      this.#frame = requestAnimationFrame(look);
    };
    this.#context = context;
    look();
  }
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
function base64Of(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result).split(",", 2)[1] ?? ""));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(blob);
  });
}
