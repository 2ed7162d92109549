import assert from "node:assert/strict";
import { test } from "node:test";

import { Follower } from "../../../../chat/static/chat/follower.js";

const id = (seq) => seq.toString(16).padStart(24, "0");

const message = (seq) => ({
  _id: id(seq), bookId: 1, seq, rev: seq, userId: "u1", username: "ada", content: `message ${seq}`,
  createdAt: new Date(seq).toISOString(), updatedAt: new Date(seq).toISOString(),
});

const messages = (from, to) => Array.from({ length: to - from + 1 }, (_, place) => message(from + place));
const said = (seq) => ({ type: "newMessage", seq, message: message(seq) });

/** A reader who has read up to `head`, and what was announced to them since. */
function reader(head) {
  const follower = new Follower({
    getMessages: async ({ afterSeq }) => ({
      messages: messages(afterSeq + 1, head), events: [], headSeq: head, hasMore: false,
    }),
    known: messages(1, head), hasOlder: false, random: () => 0,
  });
  const arrivals = [];
  follower.addEventListener("arrival", ({ detail }) => arrivals.push(detail.seq));
  return { follower, arrivals };
}

const shown = (follower) => follower.log.messages.map(({ seq }) => seq);

test("what is heard while the room answers does not make a reader begin anew", () => {
  const { follower, arrivals } = reader(100);

  follower.stop();
  follower.expect();
  follower.hear(said(101));
  follower.start(100, messages(51, 100).reverse());
  follower.hear(said(102));

  assert.deepEqual(shown(follower), Array.from({ length: 102 }, (_, place) => place + 1));
  assert.deepEqual(arrivals, [101, 102]);
  assert.equal(follower.hasOlder, false);
});

test("a room whose log is shorter than what was read is another log", () => {
  const { follower } = reader(100);

  follower.stop();
  follower.expect();
  follower.start(3, messages(1, 3).reverse());

  assert.deepEqual(shown(follower), [1, 2, 3]);
});

test("what arrives while a page of it is on its way is announced once", async () => {
  let answer;
  const asked = new Promise((resolve) => { answer = resolve; });
  const follower = new Follower({
    getMessages: async ({ afterSeq }) => {
      await asked;
      return { messages: messages(afterSeq + 1, 104), events: [], headSeq: 104, hasMore: false };
    },
    known: messages(1, 100), hasOlder: false, random: () => 0,
  });
  const arrivals = [];
  follower.addEventListener("arrival", ({ detail }) => arrivals.push(detail.seq));
  follower.expect();
  follower.start(104, messages(55, 100).reverse());
  await new Promise((resolve) => setTimeout(resolve, 5));

  follower.hear(said(101));
  follower.hear(said(103));
  follower.hear(said(102));
  answer();
  await new Promise((resolve) => setTimeout(resolve, 5));

  assert.deepEqual(arrivals, [101, 102, 103, 104]);
  assert.deepEqual(shown(follower), Array.from({ length: 104 }, (_, place) => place + 1));
});

test("readers who miss the same entry ask at different moments, and each asks once", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = [];
  const followers = [0.2, 0.5, 0.8].map((chance) => {
    const follower = new Follower({
      getMessages: async ({ afterSeq }) => {
        asked.push(chance);
        return { messages: messages(afterSeq + 1, 13), events: [], headSeq: 13, hasMore: false };
      },
      known: messages(1, 10), hasOlder: false, random: () => chance,
    });
    follower.expect();
    follower.start(10, messages(1, 10).reverse());
    return follower;
  });
  const after = async (ms) => {
    context.mock.timers.tick(ms);
    await new Promise(setImmediate);
    return [...asked];
  };

  for (const follower of followers) for (const seq of [12, 13]) follower.hear(said(seq));

  assert.deepEqual(await after(99), []);
  assert.deepEqual(await after(1), [0.2]);
  assert.deepEqual(await after(150), [0.2, 0.5]);
  assert.deepEqual(await after(10_000), [0.2, 0.5, 0.8]);
  for (const follower of followers) assert.deepEqual(shown(follower).slice(-3), [11, 12, 13]);
});
