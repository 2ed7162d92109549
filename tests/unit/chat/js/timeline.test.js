/** What stands in the conversation, from top to bottom. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Movements } from "../../../../chat/static/chat/movements.js";
import { timeline } from "../../../../chat/static/chat/timeline.js";
import { movementWords, typingWords } from "../../../../chat/static/chat/words.js";

const ADA = { userId: "7", username: "Ada", isGuest: false };
const BEN = { userId: "8", username: "Ben", isGuest: false };

/** @param {number} seq @param {string} at local time @param {object} more */
function message(seq, at, more = {}) {
  return {
    id: `m${seq}`, seq, ...ADA, isAi: false, content: `words ${seq}`,
    createdAt: new Date(`2026-11-${at}`).toISOString(),
    clientMsgId: null, replyTo: null, editedAt: null, deletedBy: null, reactions: new Map(), ...more,
  };
}

/** @param {object} state */
const shown = (state) =>
  timeline({ messages: [], drafts: [], movements: [], hasOlder: false, unreadSeq: null, reader: BEN, ...state });
const kinds = (/** @type {object} */ state) => shown(state).map(({ kind }) => kind);
const grouping = (/** @type {object[]} */ messages) =>
  shown({ messages }).filter(({ kind }) => kind === "message").map(({ isContinued }) => isContinued);

test("messages of one reader within five minutes stand under one name", () => {
  assert.deepEqual(grouping([message(1, "21T09:00:00"), message(2, "21T09:04:59")]), [false, true]);
  assert.deepEqual(grouping([message(1, "21T09:00:00"), message(2, "21T09:05:00")]), [false, false]);
  assert.deepEqual(grouping([message(1, "21T09:00:00"), message(2, "21T09:00:01", BEN)]), [false, false]);
});

test("a guest who took the id of an account does not stand under its name", () => {
  const guest = { ...ADA, isGuest: true };
  assert.deepEqual(grouping([message(1, "21T09:00:00"), message(2, "21T09:00:01", guest)]), [false, false]);
});

test("a day begins with its date, and ends a group", () => {
  const messages = [message(1, "21T23:59:00"), message(2, "22T00:01:00")];
  assert.deepEqual(kinds({ messages }), ["day", "message", "day", "message"]);
  assert.deepEqual(grouping(messages), [false, false]);
});

test("a clock that lags behind does not bring yesterday back", () => {
  const messages = [message(1, "22T00:00:01"), message(2, "21T23:59:59")];
  assert.deepEqual(kinds({ messages }), ["day", "message", "message"]);
});

test("the unread marker stands before the first unread message, and ends a group", () => {
  const messages = [message(1, "21T09:00:00"), message(4, "21T09:01:00"), message(5, "21T09:02:00")];
  const state = { messages, unreadSeq: 3 };
  assert.deepEqual(kinds(state), ["day", "message", "unread", "message", "message"]);
  assert.equal(shown(state)[3].isContinued, false);
});

test("nothing is marked when the unread messages are gone", () => {
  assert.deepEqual(kinds({ messages: [message(1, "21T09:00:00")], unreadSeq: 9 }), ["day", "message"]);
});

test("a draft stands at the end, and keeps its key when it becomes a message", () => {
  const draft = {
    clientMsgId: "c1", content: "words", replyTo: null, writtenAt: Date.parse("2026-11-21T09:00:10"),
    state: "waiting", reason: null,
  };
  const before = shown({ messages: [message(1, "21T09:00:00")], drafts: [draft] });
  const own = message(2, "21T09:00:11", { ...BEN, clientMsgId: "c1" });
  const after = shown({ messages: [message(1, "21T09:00:00"), own], drafts: [draft] });

  assert.deepEqual(before.map(({ kind }) => kind), ["day", "message", "message"]);
  assert.equal(before[2].isOwn, true);
  assert.deepEqual(after.map(({ key }) => key), before.map(({ key }) => key));
});

test("the message of somebody else with the same client id is not taken for one's own", () => {
  const draft = {
    clientMsgId: "c1", content: "mine", replyTo: null, writtenAt: Date.parse("2026-11-21T09:00:10"),
    state: "waiting", reason: null,
  };
  const other = message(1, "21T09:00:00", { clientMsgId: "c1" });
  assert.equal(shown({ messages: [other], drafts: [draft] }).length, 3);
});

test("comings and goings between two messages are one line, at their place", () => {
  const movements = new Movements();
  for (const [number, name] of ["Cleo", "Dan", "Eve"].entries()) {
    movements.add({ afterSeq: 1, userId: `${number}`, username: name, came: true });
  }
  movements.add({ afterSeq: 2, userId: "1", username: "Dan", came: false });
  const messages = [message(1, "21T09:00:00"), message(2, "21T09:01:00")];

  const items = shown({ messages, movements: movements.lines() });

  assert.deepEqual(items.map(({ kind }) => kind), ["day", "message", "movement", "message", "movement"]);
  assert.deepEqual(items[2].line.came, ["Cleo", "Dan", "Eve"]);
  assert.equal(items[3].isContinued, false);
});

test("who leaves and comes back in between, as by a reload, is not mentioned", () => {
  const movements = new Movements();
  movements.add({ afterSeq: 0, ...ADA, came: false });
  movements.add({ afterSeq: 0, ...ADA, came: true });
  assert.deepEqual(movements.lines(), []);

  movements.add({ afterSeq: 0, ...ADA, came: false });
  assert.deepEqual(movements.lines().map(({ left }) => left), [["Ada"]]);
});

test("movements among older messages that are not here are left out", () => {
  const movements = new Movements();
  movements.add({ afterSeq: 3, ...ADA, came: true });
  const state = { messages: [message(9, "21T09:00:00")], movements: movements.lines() };
  assert.deepEqual(kinds({ ...state, hasOlder: true }), ["day", "message"]);
  assert.deepEqual(kinds({ ...state, hasOlder: false }), ["movement", "day", "message"]);
});

test("who came and left is told in words", () => {
  assert.equal(movementWords(["Ada"], []), "Ada came in");
  assert.equal(movementWords(["Ada", "Ben"], ["Cleo"]), "Ada and Ben came in, Cleo left");
  assert.equal(movementWords(["Ada", "Ben", "Cleo"], []), "3 readers came in");
  assert.equal(typingWords([]), "");
  assert.equal(typingWords(["Ada"]), "Ada is writing");
  assert.equal(typingWords(["Ada", "Ben"]), "Ada and Ben are writing");
});
