/** What a microphone gives at any rate comes out at the rate that was asked for, whole and clean. */

import assert from "node:assert/strict";
import { test } from "node:test";

/** The audio thread as the worklet sees it. */
class Port {
  /** @type {any[]} */
  posted = [];
  /** @type {(event: { data: string }) => void} */
  onmessage = () => {};

  /** @param {any} message */
  postMessage(message) {
    this.posted.push(message);
  }
}

/** @type {any} */
let Capture;
Object.assign(globalThis, {
  sampleRate: 48_000,
  AudioWorkletProcessor: class {
    port = new Port();
  },
  registerProcessor: (/** @type {string} */ name, /** @type {any} */ processor) => {
    assert.equal(name, "readrealm-capture");
    Capture = processor;
  },
});
await import("../../../../speech/static/speech/capture-worklet.js");

const QUANTUM = 128;

/** @param {number} deviceHz @param {number} [rateHz] @param {number} [blockMs] */
function capture(deviceHz, rateHz = 24_000, blockMs = 100) {
  Object.assign(globalThis, { sampleRate: deviceHz });
  return new Capture({ processorOptions: { rateHz, blockMs } });
}

/** @param {number} hz @param {number} rateHz @param {number} seconds */
function tone(hz, rateHz, seconds) {
  return Float32Array.from({ length: rateHz * seconds }, (_, n) => 0.5 * Math.sin((2 * Math.PI * hz * n) / rateHz));
}

/** @param {any} processor @param {Float32Array} sound @param {number} [cut] */
function feed(processor, sound, cut = QUANTUM) {
  for (let at = 0; at < sound.length; at += cut) processor.process([[sound.subarray(at, at + cut)]]);
  processor.port.onmessage({ data: "flush" });
}

/** @param {any} processor */
function heard(processor) {
  const blocks = processor.port.posted.filter((/** @type {any} */ one) => one.pcm);
  return blocks.flatMap((/** @type {any} */ { pcm }) => [...new Int16Array(pcm)]);
}

/** Decibels of a tone over everything else, by the least squares fit of that tone. */
function purity(/** @type {number[]} */ samples, /** @type {number} */ hz, /** @type {number} */ rateHz) {
  const steady = samples.slice(200, -200);
  let [sine, cosine] = [0, 0];
  const at = (/** @type {number} */ n) => (2 * Math.PI * hz * n) / rateHz;
  steady.forEach((value, n) => { sine += value * Math.sin(at(n)); cosine += value * Math.cos(at(n)); });
  [sine, cosine] = [(2 * sine) / steady.length, (2 * cosine) / steady.length];
  let [signal, rest] = [0, 0];
  steady.forEach((value, n) => {
    const fit = sine * Math.sin(at(n)) + cosine * Math.cos(at(n));
    signal += fit ** 2;
    rest += (value - fit) ** 2;
  });
  return { db: 10 * Math.log10(signal / rest), amplitude: Math.hypot(sine, cosine) / 32_768 };
}

for (const [deviceHz, rateHz] of [
  [48_000, 24_000], [44_100, 24_000], [96_000, 24_000], [16_000, 24_000], [8_000, 24_000],
  [24_000, 24_000], [48_000, 16_000], [44_100, 16_000], [192_000, 16_000],
]) {
  test(`a tone stays a tone from ${deviceHz} to ${rateHz} Hz`, () => {
    const processor = capture(deviceHz, rateHz);
    feed(processor, tone(1_000, deviceHz, 1));

    const samples = heard(processor);
    const { db, amplitude } = purity(samples, 1_000, rateHz);
    assert.ok(db > 60, `${db} dB`);
    assert.ok(Math.abs(amplitude - 0.5) < 0.005, `${amplitude}`);
    assert.ok(Math.abs(samples.length - rateHz) <= rateHz / 500, `${samples.length}`);
  });
}

test("what is above the new band does not fold back into it", () => {
  const processor = capture(48_000);
  feed(processor, tone(15_000, 48_000, 1));

  const loudest = Math.max(...heard(processor).slice(200, -200).map(Math.abs));
  assert.ok(20 * Math.log10(loudest / 16_384) < -60, `${loudest}`);
});

test("the blocks are the same however the sound is cut", () => {
  const sound = tone(440, 44_100, 0.5);
  const [whole, cut, crumbs] = [sound.length, 128, 7].map((size) => {
    const processor = capture(44_100);
    feed(processor, sound, size);
    return heard(processor);
  });

  assert.deepEqual(cut, whole);
  assert.deepEqual(crumbs, whole);
});

test("blocks have the length that was asked for, and the flush gives the rest", () => {
  const processor = capture(24_000, 24_000, 100);
  feed(processor, tone(440, 24_000, 0.25));

  const blocks = processor.port.posted.filter((/** @type {any} */ one) => one.pcm);
  assert.deepEqual(blocks.map((/** @type {any} */ one) => [one.isRest, one.pcm.byteLength > 4_700]), [
    [false, true], [false, true], [true, false],
  ]);
  assert.equal(blocks[0].pcm.byteLength, 4_800);
  processor.port.onmessage({ data: "flush" });
  assert.deepEqual(processor.port.posted.at(-1), { pcm: new ArrayBuffer(0), isRest: true });
});

test("stereo is mixed, overloud sound is clipped, and the level is told as the device gives it", () => {
  const processor = capture(24_000, 24_000, 10);
  const [left, right] = [new Float32Array(2_048).fill(1), new Float32Array(2_048).fill(0.5)];
  processor.process([[left, right]]);
  const loud = new Float32Array(2_048).fill(3);
  processor.process([[loud]]);

  const levels = processor.port.posted.filter((/** @type {any} */ one) => one.level);
  assert.deepEqual(levels[0].level, { rms: 0.75, peak: 0.75 });
  assert.equal(levels[1].level.peak, 1);
  assert.equal(heard(processor)[1_000], 0.75 * 32_768);
  assert.equal(heard(processor).at(-1), 32_767);
});

test("without a channel it waits, and it ends when it is told to", () => {
  const processor = capture(48_000);

  assert.equal(processor.process([[]]), true);
  processor.port.onmessage({ data: "stop" });
  assert.equal(processor.process([[new Float32Array(128)]]), false);
  assert.deepEqual(processor.port.posted, []);
});
