/** Sound is played in order and without a gap, stops at once, and what was heard is known. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Playback, fromBase64, toBase64 } from "../../../../speech/static/speech/playback.js";

const RATE_HZ = 24_000;

/** A sound device whose clock a test moves. */
class Context {
  currentTime = 10;
  state = "suspended";
  destination = {};
  baseLatency = 0;
  /** @type {any[]} */
  sources = [];

  createAnalyser() {
    return { fftSize: 0, connect: () => {}, getFloatTimeDomainData: () => {} };
  }

  createBuffer(/** @type {number} */ _, /** @type {number} */ length, /** @type {number} */ rateHz) {
    assert.equal(rateHz, RATE_HZ);
    const samples = new Float32Array(length);
    return { length, getChannelData: () => samples };
  }

  createBufferSource() {
    const source = {
      buffer: { length: 0 }, startS: 0, isStopped: false,
      /** @type {(() => void) | null} */ onended: null,
      connect: () => {}, disconnect: () => {},
      start(/** @type {number} */ when) { this.startS = when; },
      stop() { this.isStopped = true; },
    };
    this.sources.push(source);
    return source;
  }

  async resume() {
    this.state = "running";
  }

  async close() {
    this.state = "closed";
  }

  /** @param {number} seconds */
  pass(seconds) {
    this.currentTime += seconds;
    for (const source of this.sources) {
      const end = source.startS + source.buffer.length / RATE_HZ;
      if (!source.isStopped && source.onended && end <= this.currentTime) {
        const tell = source.onended;
        source.onended = null;
        tell();
      }
    }
  }
}

async function opened() {
  const context = new Context();
  const playback = new Playback({ rateHz: RATE_HZ, makeContext: () => /** @type {any} */ (context) });
  /** @type {string[]} */
  const told = [];
  for (const name of ["playing", "idle"]) playback.addEventListener(name, () => told.push(name));
  await playback.open();
  return { context, playback, told };
}

/** @param {number} ms */
const sound = (ms) => new Int16Array((RATE_HZ * ms) / 1_000).fill(16_384).buffer;

test("pieces follow one another to the sample", async () => {
  const { context, playback, told } = await opened();
  for (const ms of [100, 40, 100]) playback.push(sound(ms), { item: "a" });

  const starts = context.sources.map(({ startS }) => startS * RATE_HZ);
  assert.ok(starts[0] > context.currentTime * RATE_HZ);
  assert.ok(Math.abs(starts[0] - Math.round(starts[0])) < 1e-6);
  assert.deepEqual(starts.map((start) => Math.round(start - starts[0])), [0, 2_400, 3_360]);
  assert.equal(context.sources[0].buffer.getChannelData(0)[5], 0.5);
  assert.deepEqual(told, ["playing"]);
  context.pass(1);
  assert.deepEqual(told, ["playing", "idle"]);
});

test("after a gap it starts anew, a little later than now", async () => {
  const { context, playback } = await opened();
  playback.push(sound(100));
  context.pass(5);
  playback.push(sound(100));

  const late = context.sources[1].startS - context.currentTime;
  assert.ok(late > 0 && late < 0.1, `${late}`);
});

test("clearing silences everything at once and tells what was heard of which item", async () => {
  const { context, playback, told } = await opened();
  for (let n = 0; n < 3; n += 1) playback.push(sound(100), { item: "a" });
  for (let n = 0; n < 9; n += 1) playback.push(sound(100), { item: "b" });
  context.pass(context.sources[0].startS - context.currentTime + 0.45);

  assert.equal(playback.playedMs("a"), 300);
  assert.deepEqual(playback.clear(), { item: "b", ms: 150 });
  assert.ok(context.sources.slice(4).every(({ isStopped }) => isStopped));
  assert.deepEqual([playback.isPlaying, playback.queuedS, told.at(-1)], [false, 0, "idle"]);
  assert.equal(playback.clear(), null);
  playback.push(sound(100), { item: "c" });
  const late = /** @type {any} */ (context.sources.at(-1)).startS - context.currentTime;
  assert.ok(late < 0.1, "what comes after does not wait for what was cleared");
});

test("nothing counts as heard before it sounds", async () => {
  const { playback } = await opened();
  playback.push(sound(500), { item: "a" });

  assert.deepEqual([playback.playedMs("a"), playback.playedMs("b")], [0, 0]);
  assert.deepEqual(playback.clear(), { item: "a", ms: 0 });
});

test("what is pushed while it is closed, or without an end, is not kept", async () => {
  const closed = new Playback();
  assert.equal(closed.push(sound(100)), false);

  const { context, playback } = await opened();
  let minutes = 0;
  while (playback.push(sound(60_000))) minutes += 1;
  assert.equal(minutes, 10);
  await playback.close();
  assert.equal(context.state, "closed");
  assert.equal(playback.push(sound(100)), false);
});

test("Base64 goes there and back, also when it is long", () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, n) => n % 251);

  assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
  assert.equal(toBase64(bytes), Buffer.from(bytes).toString("base64"));
});
