/**
 * Takes sound from a microphone at whatever rate the device has, and gives it away as PCM: signed
 * 16 bit, mono, at the rate that was asked for. Runs on the audio thread; `microphone.js` is its
 * other end. It imports nothing, for not every browser lets a worklet import.
 *
 * `processorOptions`: `{ rateHz, blockMs }`.
 *
 * It posts `{ level: { rms, peak } }` some forty times a second, amplitudes of 0 to 1 as the device
 * gives them, and `{ pcm, isRest }` for every block: an `ArrayBuffer` of little-endian samples,
 * `blockMs` long unless it is the rest that "flush" asked for.
 *
 * It hears `"flush"`, which is answered with the rest even when that is empty, and `"stop"`, after
 * which it can be collected.
 */

/** Zero crossings of the filter on either side, at the lower of the two rates. */
const ZERO_CROSSINGS = 16;
/** Kaiser window: some 80 dB down outside of the band. */
const KAISER_BETA = 8;
/** The pass band ends here, as a share of the lower Nyquist frequency. */
const PASS_BAND = 0.9;
/** Frames between two levels. */
const LEVEL_FRAMES = 1_024;

/**
 * Modified Bessel function of the first kind and order zero, by its power series.
 * @param {number} x
 */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > 1e-12 * sum; n += 1) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}

/** @param {number} a @param {number} b @returns {number} */
function greatestDivisor(a, b) {
  return b ? greatestDivisor(b, a % b) : a;
}

/**
 * Changes the rate of a stream by a ratio of whole numbers: a windowed sinc, one set of
 * coefficients for each position between two input samples. What comes out does not depend on how
 * the input is cut.
 */
class Resampler {
  #up;
  #down;
  #half;
  #coefficients;
  /** Input that is still needed; its first sample is `#first` in the stream. */
  #kept;
  #first;
  /** Position of the next output: sample of the input, and parts of `#up` beyond it. */
  #at = 0;
  #phase = 0;

  /**
   * @param {number} fromHz
   * @param {number} toHz
   */
  constructor(fromHz, toHz) {
    const divisor = greatestDivisor(fromHz, toHz);
    this.#up = toHz / divisor;
    this.#down = fromHz / divisor;
    this.#half = Math.ceil(ZERO_CROSSINGS * Math.max(1, fromHz / toHz));
    this.#coefficients = this.#design();
    this.#kept = new Float32Array(this.#half - 1);
    this.#first = 1 - this.#half;
  }

  /**
   * @param {Float32Array} input
   * @param {(sample: number) => void} take called for every sample that can be computed
   */
  feed(input, take) {
    const joined = new Float32Array(this.#kept.length + input.length);
    joined.set(this.#kept);
    joined.set(input, this.#kept.length);
    const end = this.#first + joined.length;
    for (; this.#at + this.#half < end; this.#advance()) take(this.#value(joined));
    const needed = Math.min(this.#at - this.#half + 1, end);
    this.#kept = joined.slice(Math.max(0, needed - this.#first));
    this.#first = end - this.#kept.length;
  }

  #advance() {
    this.#phase += this.#down;
    this.#at += Math.floor(this.#phase / this.#up);
    this.#phase %= this.#up;
  }

  /** @param {Float32Array} joined */
  #value(joined) {
    const taps = 2 * this.#half;
    const row = this.#phase * taps;
    const from = this.#at - this.#half + 1 - this.#first;
    let sum = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      sum += this.#coefficients[row + tap] * joined[from + tap];
    }
    return sum;
  }

  /** One row for each phase; every row adds up to 1, so that silence and offsets stay. */
  #design() {
    const taps = 2 * this.#half;
    const cutoff = PASS_BAND * Math.min(1, this.#up / this.#down);
    const table = new Float32Array(this.#up * taps);
    for (let phase = 0; phase < this.#up; phase += 1) {
      const row = table.subarray(phase * taps, (phase + 1) * taps);
      for (let tap = 0; tap < taps; tap += 1) {
        const away = tap - this.#half + 1 - phase / this.#up;
        const edge = Math.max(0, 1 - (away / this.#half) ** 2);
        const x = Math.PI * away * cutoff;
        row[tap] = (x ? Math.sin(x) / x : 1) * (bessel(KAISER_BETA * Math.sqrt(edge)));
      }
      const sum = row.reduce((total, value) => total + value, 0);
      for (let tap = 0; tap < taps; tap += 1) row[tap] /= sum;
    }
    return table;
  }
}

/** Mixes, resamples and cuts; everything that it is given is given away. */
class Capture extends AudioWorkletProcessor {
  #resampler;
  #block;
  #filled = 0;
  #mono = new Float32Array(0);
  #isStopped = false;
  #squares = 0;
  #peak = 0;
  #frames = 0;

  /** @param {{ processorOptions: { rateHz: number, blockMs: number } }} options */
  constructor({ processorOptions: { rateHz, blockMs } }) {
    super();
    this.#resampler = new Resampler(Math.round(sampleRate), rateHz);
    this.#block = new DataView(new ArrayBuffer(2 * Math.round((rateHz * blockMs) / 1_000)));
    this.port.onmessage = ({ data }) => {
      if (data === "flush") this.#give(true);
      if (data === "stop") this.#isStopped = true;
    };
  }

  /** @param {Float32Array[][]} inputs */
  process([channels]) {
    if (this.#isStopped) return false;
    // There is no channel at all while the source is silent.
    if (channels?.length) this.#hear(this.#mixed(channels));
    return true;
  }

  /** @param {Float32Array[]} channels */
  #mixed(channels) {
    if (channels.length === 1) return channels[0];
    const frames = channels[0].length;
    if (this.#mono.length !== frames) this.#mono = new Float32Array(frames);
    for (let frame = 0; frame < frames; frame += 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[frame];
      this.#mono[frame] = sum / channels.length;
    }
    return this.#mono;
  }

  /** @param {Float32Array} samples */
  #hear(samples) {
    for (const sample of samples) {
      this.#squares += sample * sample;
      this.#peak = Math.max(this.#peak, Math.abs(sample));
    }
    this.#frames += samples.length;
    if (this.#frames >= LEVEL_FRAMES) this.#tellLevel();
    this.#resampler.feed(samples, (sample) => this.#put(sample));
  }

  #tellLevel() {
    this.port.postMessage({
      level: { rms: Math.sqrt(this.#squares / this.#frames), peak: Math.min(1, this.#peak) },
    });
    this.#squares = this.#peak = this.#frames = 0;
  }

  /** @param {number} sample */
  #put(sample) {
    const scaled = Math.round(Math.max(-32_768, Math.min(32_767, sample * 32_768)));
    this.#block.setInt16(this.#filled, scaled, true);
    this.#filled += 2;
    if (this.#filled === this.#block.byteLength) this.#give(false);
  }

  /** @param {boolean} isRest */
  #give(isRest) {
    const pcm = this.#block.buffer.slice(0, this.#filled);
    this.#filled = 0;
    this.port.postMessage({ pcm, isRest }, [pcm]);
  }
}

registerProcessor("readrealm-capture", Capture);
