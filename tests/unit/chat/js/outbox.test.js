/** What was written goes out once, in order, and is not lost on the way. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Outbox } from "../../../../chat/static/chat/outbox.js";
import { MemoryKeeping, settled } from "./room.js";

const SENT = { kind: "sent" };

beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"] }));
afterEach(() => mock.timers.reset());

/** A line that answers when it is told to. */
class Line {
  /** @type {{content: string, clientMsgId: string, answer: (outcome: any) => void}[]} */
  attempts = [];

  send = (/** @type {any} */ { content, clientMsgId }) =>
    new Promise((answer) => this.attempts.push({ content, clientMsgId, answer }));

  /** @param {any} outcome */
  async answer(outcome) {
    this.attempts.at(-1)?.answer(outcome);
    await settled();
  }

  get contents() {
    return this.attempts.map(({ content }) => content);
  }
}

test("one message is on its way at a time, in the order of writing", async () => {
  const line = new Line();
  const outbox = new Outbox({ send: line.send });
  outbox.open();

  for (const content of ["one", "two", "three"]) outbox.add(content);
  assert.deepEqual(line.contents, ["one"]);
  await line.answer(SENT);
  await line.answer(SENT);
  await line.answer(SENT);

  assert.deepEqual(line.contents, ["one", "two", "three"]);
  assert.deepEqual(outbox.drafts, []);
});

test("nothing is sent while the room cannot be reached", async () => {
  const line = new Line();
  const outbox = new Outbox({ send: line.send });

  outbox.add("patience");
  assert.deepEqual(line.contents, []);

  outbox.open();
  assert.deepEqual(line.contents, ["patience"]);
});

test("a message without an answer is sent again under the same id", async () => {
  const line = new Line();
  const outbox = new Outbox({ send: line.send });
  outbox.open();
  outbox.add("again");

  await line.answer({ kind: "again", inMs: 2_000 });
  mock.timers.tick(2_000);
  await settled();

  assert.equal(line.attempts.length, 2);
  assert.equal(line.attempts[0].clientMsgId, line.attempts[1].clientMsgId);
});

test("a lost connection does not count against a message", async () => {
  const line = new Line();
  const outbox = new Outbox({ send: line.send });
  outbox.add("tough");

  for (let time = 0; time < 20; time += 1) {
    outbox.open();
    outbox.close();
    await line.answer({ kind: "again", inMs: 2_000 });
  }

  assert.equal(outbox.drafts[0].state, "waiting");
});

test("after five attempts in vain the reader is asked, and the next message goes out", async () => {
  const line = new Line();
  const outbox = new Outbox({ send: line.send });
  outbox.open();
  outbox.add("stuck");
  outbox.add("next");

  for (let time = 0; time < 5; time += 1) {
    await line.answer({ kind: "again", inMs: 100 });
    mock.timers.tick(100);
    await settled();
  }

  assert.equal(outbox.drafts[0].state, "failed");
  assert.deepEqual(line.contents, ["stuck", "stuck", "stuck", "stuck", "stuck", "next"]);
});

test("waiting as long as the server asks for is no failed attempt", async () => {
  const line = new Line();
  const outbox = new Outbox({ send: line.send });
  outbox.open();
  outbox.add("slow");

  for (let time = 0; time < 12; time += 1) {
    await line.answer({ kind: "again", inMs: 100, isAsked: true });
    mock.timers.tick(100);
    await settled();
  }

  assert.equal(outbox.drafts[0].state, "waiting");
});

test("a refused message stays with the reason, and can be tried again or discarded", async () => {
  const line = new Line();
  const outbox = new Outbox({ send: line.send });
  outbox.open();
  const { clientMsgId } = outbox.add("no");
  await line.answer({ kind: "failed", reason: "too long" });

  assert.equal(outbox.drafts[0].state, "failed");
  assert.equal(outbox.drafts[0].reason, "too long");

  outbox.retry(clientMsgId);
  await settled();
  assert.deepEqual(line.contents, ["no", "no"]);
  assert.equal(line.attempts[1].clientMsgId, clientMsgId);

  await line.answer({ kind: "failed", reason: "too long" });
  outbox.settle(clientMsgId);
  assert.deepEqual(outbox.drafts, []);
});

test("a message that the room has is not sent again, though its answer was lost", async () => {
  const line = new Line();
  const outbox = new Outbox({ send: line.send });
  outbox.open();
  const { clientMsgId } = outbox.add("heard");

  outbox.settle(clientMsgId);
  await line.answer({ kind: "again", inMs: 100 });
  mock.timers.tick(10_000);
  await settled();

  assert.deepEqual(line.contents, ["heard"]);
});

test("what waits survives a reload; what is old is not sent without being asked for", async () => {
  const storage = new MemoryKeeping();
  const line = new Line();
  new Outbox({ send: line.send, storage }).add("kept");

  const soon = new Outbox({ send: line.send, storage });
  assert.equal(soon.drafts[0].content, "kept");
  assert.equal(soon.drafts[0].state, "waiting");

  mock.timers.tick(10 * 60_000);
  const late = new Outbox({ send: line.send, storage });
  assert.equal(late.drafts[0].state, "failed");
});

test("storage that holds something else is no reason to fail", () => {
  for (const junk of ["not json", "7", "{}", '[null, {"content": 1}]']) {
    const storage = new MemoryKeeping();
    storage.setItem("readrealm.outbox", junk);
    assert.deepEqual(new Outbox({ send: new Line().send, storage }).drafts, []);
  }
});

test("it takes no more than a bounded number of messages", () => {
  const outbox = new Outbox({ send: new Line().send });
  let count = 0;
  while (!outbox.isFull && count < 1_000) {
    outbox.add("more");
    count += 1;
  }
  assert.equal(count, 50);
});
