/** Apply next, drop old, hold back what comes after a gap. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Sequence } from "../../../../chat/static/chat/sequence.js";
import { randomness, shuffled } from "./story.js";

const entry = (/** @type {number} */ seq) => ({ type: "newMessage", seq });
const seqs = (/** @type {{seq: number}[]} */ entries) => entries.map(({ seq }) => seq);

test("the next entry is applied and an old one is dropped", () => {
  const sequence = new Sequence();
  sequence.restart(4);

  assert.deepEqual(seqs(sequence.offer(entry(5))), [5]);
  assert.deepEqual(seqs(sequence.offer(entry(5))), []);
  assert.deepEqual(seqs(sequence.offer(entry(2))), []);
  assert.equal(sequence.cursor, 5);
  assert.equal(sequence.isBehind, false);
});

test("what comes after a gap waits until the gap is filled", () => {
  const sequence = new Sequence();
  sequence.restart(0);

  assert.deepEqual(seqs(sequence.offer(entry(3))), []);
  assert.equal(sequence.isBehind, true);
  assert.deepEqual(seqs(sequence.offer(entry(1))), [1]);
  assert.deepEqual(seqs(sequence.reach(2)), [3]);
  assert.equal(sequence.isBehind, false);
});

test("a room that is known to reach further is a gap without a later entry", () => {
  const sequence = new Sequence();
  sequence.restart(7);

  sequence.notice(7);
  assert.equal(sequence.isBehind, false);
  sequence.notice(8);
  assert.equal(sequence.isBehind, true);
});

test("entries that arrive before the room is entered are held for it", () => {
  const sequence = new Sequence();

  assert.deepEqual(sequence.offer(entry(9)), []);
  assert.deepEqual(sequence.offer(entry(10)), []);
  assert.equal(sequence.isBehind, false);
  assert.deepEqual(seqs(sequence.restart(9)), [10]);
});

test("starting again lower forgets how far the room reached", () => {
  const sequence = new Sequence();
  sequence.restart(90);

  sequence.restart(3);

  assert.equal(sequence.cursor, 3);
  assert.equal(sequence.isBehind, false);
});

test("every entry is released once and in order, whatever the order of arrival", () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const random = randomness(seed);
    const all = Array.from({ length: 40 }, (_, place) => entry(place + 1));
    const sequence = new Sequence();
    sequence.restart(0);

    const released = shuffled([...all, ...all], random).flatMap((one) => sequence.offer(one));

    assert.deepEqual(seqs(released), seqs(all), `seed ${seed}`);
  }
});

test("a flood after a gap is held only up to a bound, and the page of history closes it", () => {
  const sequence = new Sequence();
  sequence.restart(0);

  for (let seq = 2; seq <= 5_000; seq += 1) sequence.offer(entry(seq));
  const released = sequence.reach(1);

  assert.ok(released.length <= 500);
  assert.equal(sequence.isBehind, true);
  sequence.reach(5_000);
  assert.equal(sequence.isBehind, false);
});
