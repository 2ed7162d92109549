/** What a reader has not seen. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Unread } from "../../../../chat/static/chat/unread.js";

const ADA = { userId: "7", username: "Ada", isGuest: false };
const others = (/** @type {number[]} */ ...seqs) =>
  seqs.map((seq) => ({ seq, userId: "8", username: "Ben", isGuest: false }));

test("on a first visit nothing is marked", () => {
  const unread = new Unread(0);
  unread.open(others(1, 2), ADA);
  assert.equal(unread.markerSeq, null);
});

test("on a later visit the marker stands before the first message of somebody else", () => {
  const unread = new Unread(2);
  unread.open([...others(1, 2), { seq: 3, ...ADA }, ...others(4, 5)], ADA);
  assert.equal(unread.markerSeq, 4);
});

test("what arrives before the reader's eyes is read", () => {
  const unread = new Unread(2);
  unread.arrive(3, true);
  assert.equal(unread.count, 0);
  assert.equal(unread.readSeq, 3);
  assert.equal(unread.markerSeq, null);
});

test("what arrives behind the reader's back is counted, and marked once", () => {
  const unread = new Unread(2);
  unread.arrive(3, false);
  unread.arrive(4, false);
  assert.equal(unread.count, 2);
  assert.equal(unread.markerSeq, 3);
  assert.equal(unread.readSeq, 2);
});

test("reaching the end reads everything, and the marker stays to show where it began", () => {
  const unread = new Unread(2);
  unread.arrive(3, false);
  unread.see(3);
  assert.equal(unread.count, 0);
  assert.equal(unread.markerSeq, 3);

  unread.clearMarker();
  assert.equal(unread.markerSeq, null);
});

test("the next absence moves the marker", () => {
  const unread = new Unread(2);
  unread.arrive(3, false);
  unread.see(3);
  unread.arrive(5, false);
  assert.equal(unread.markerSeq, 5);
});

test("the pointer never moves back", () => {
  const unread = new Unread(9);
  unread.see(4);
  assert.equal(unread.readSeq, 9);
});
