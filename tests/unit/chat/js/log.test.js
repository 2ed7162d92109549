/** The state of a room does not depend on the order in which its events arrive. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { RoomLog } from "../../../../chat/static/chat/log.js";
import { Story, randomness, shuffled } from "./story.js";

const SEEDS = Array.from({ length: 60 }, (_, number) => number + 1);

/** @param {RoomLog} log */
function told(log) {
  return log.messages.map(({ reactions, ...message }) => ({ ...message, reactions: [...reactions] }));
}

/** @param {import("../../../../chat/static/chat/log.js").Entry[]} entries */
function logOf(entries) {
  const log = new RoomLog();
  for (const entry of entries) log.apply(entry);
  return log;
}

test("any order and any repetition of the events gives the same state", () => {
  for (const seed of SEEDS) {
    const random = randomness(seed);
    const { entries } = new Story(random).unfold(60);
    const inOrder = told(logOf(entries));

    const repeated = [...entries, ...entries.filter(() => random() < 0.3)];

    assert.deepEqual(told(logOf(shuffled(repeated, random))), inOrder, `seed ${seed}`);
  }
});

test("pages of history may come in between, in whatever state they show the messages", () => {
  for (const seed of SEEDS) {
    const random = randomness(seed);
    const story = new Story(random).unfold(60);
    const expected = told(logOf(story.entries));

    const log = new RoomLog();
    for (const entry of shuffled(story.entries, random)) {
      const seen = story.pageAt(entry.seq + Math.floor(random() * (60 - entry.seq)));
      if (random() < 0.2) log.merge(seen);
      // Read again from the log, an old edit comes with what the message has become since.
      const { message } = entry;
      const present = seen.find(({ _id }) => _id === message?._id);
      log.apply(random() < 0.5 && present ? { ...entry, message: present } : entry);
    }

    assert.deepEqual(told(log), expected, `seed ${seed}`);
  }
});

test("a page of history alone shows what the events would have shown", () => {
  for (const seed of SEEDS) {
    const story = new Story(randomness(seed)).unfold(60);
    const log = new RoomLog();

    log.merge(story.pageAt(60));

    assert.deepEqual(told(log), told(logOf(story.entries)), `seed ${seed}`);
  }
});

test("an event about a message that is not here yet waits for it", () => {
  const story = new Story(randomness(1));
  const { id } = story.say("first words");
  story.delete(id);
  const log = new RoomLog();

  log.apply(story.entries[1]);
  assert.deepEqual(log.messages, []);
  assert.equal(log.find(id), null);

  log.apply(story.entries[0]);
  assert.equal(log.find(id)?.deletedBy, "author");
  assert.equal(log.find(id)?.content, "");
});

test("a message is the same object until it changes", () => {
  const story = new Story(randomness(1));
  story.say("one");
  const { id } = story.say("two");
  const log = logOf(story.entries);
  const [one, two] = log.messages;

  story.edit(id, "deux");
  log.apply(story.entries[2]);

  assert.equal(log.messages[0], one);
  assert.notEqual(log.messages[1], two);
  assert.equal(log.messages[1].content, "deux");
});

test("a guest who claims the id of an account gives a reaction of their own", () => {
  const story = new Story(randomness(1));
  const { id } = story.say("words");
  story.react(id, "👍", true, { userId: "7", isGuest: false });
  story.react(id, "👍", true, { userId: "7", isGuest: true });
  story.react(id, "👍", false, { userId: "7", isGuest: true });

  assert.deepEqual([...(logOf(story.entries).find(id)?.reactions ?? [])], [["👍", ["account 7"]]]);
});

test("only the newest messages are kept when it is asked to forget", () => {
  const log = logOf(new Story(randomness(3)).unfold(80).entries);
  const before = log.messages.slice(-10);

  log.keepNewest(10);

  assert.deepEqual(log.messages, before);
  assert.equal(log.oldestSeq, before[0].seq);
  assert.equal(log.newestSeq, before[9].seq);
});

test("an event of a later contract changes nothing", () => {
  const log = new RoomLog();
  log.apply({ type: "roomPainted", seq: 1 });
  assert.deepEqual(log.messages, []);
});
