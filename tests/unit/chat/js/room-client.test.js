/** A reader stays in step with the room, whatever the network does. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { RoomClient } from "../../../../chat/static/chat/room-client.js";
import { FakeRoom, FakeSocket, settled } from "./room.js";
import { randomness } from "./story.js";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.UTC(2026, 10, 21) }));
afterEach(() => mock.timers.reset());

/** @param {FakeRoom} room @param {string} [name] @param {object} [options] */
function reader(room, name = "Ada", options = {}) {
  const socket = new FakeSocket(room);
  const client = new RoomClient({
    socket, bookId: 42, reader: { userId: `guest-${name}`, username: name, isGuest: true },
    random: () => 0.5, ...options,
  });
  return { socket, client };
}

/** Let time pass. @param {number} ms */
async function pass(ms) {
  for (let gone = 0; gone < ms; gone += 250) {
    await settled();
    mock.timers.tick(250);
  }
  await settled();
}

const contents = (/** @type {RoomClient} */ { log }) => log.messages.map(({ content }) => content);
const asked = (/** @type {FakeSocket} */ { sent }, /** @type {string} */ name) =>
  sent.filter(([event]) => event === name).map(([, payload]) => payload);

test("joining shows the newest messages and asks for nothing more", async () => {
  const room = new FakeRoom();
  for (const words of ["one", "two"]) room.story.say(words);
  const { client, socket } = reader(room);

  client.enter();
  await pass(1_000);

  assert.equal(client.status.name, "live");
  assert.deepEqual(contents(client), ["one", "two"]);
  assert.deepEqual(asked(socket, "getMessages"), []);
  assert.deepEqual(client.present.map(({ username }) => username), ["Ada"]);
});

test("a restart that was announced is known as planned, and not for ever", async () => {
  const room = new FakeRoom();
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);

  room.tell("serverRestart", { retryInMs: 1_000 });
  assert.equal(client.status.name, "live");
  socket.cut("io server disconnect");
  assert.deepEqual(client.status, { name: "reconnecting", isPlanned: true });
  await pass(250);
  assert.equal(socket.connected, false);
  await pass(1_000);
  assert.equal(client.status.name, "live");

  socket.cut("transport close");
  assert.deepEqual(client.status, { name: "reconnecting" });
});

test("a gap is filled with one question, and nothing is shown before what it lacks", async () => {
  const room = new FakeRoom();
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);

  room.story.say("one");
  for (const words of ["two", "three", "four"]) {
    room.story.say(words);
    room.tellNewest();
  }
  await settled();
  assert.deepEqual(contents(client), []);

  await pass(1_000);
  assert.deepEqual(contents(client), ["one", "two", "three", "four"]);
  assert.deepEqual(asked(socket, "getMessages"), [{ bookId: 42, afterSeq: 0, limit: 200 }]);
});

test("a message that nothing follows is missed only until the next roomHead", async () => {
  const room = new FakeRoom();
  const { client } = reader(room);
  client.enter();
  await pass(1_000);

  room.story.say("unheard");
  room.tell("roomHead", { bookId: 42, seq: 1, members: 1 });
  await pass(1_000);

  assert.deepEqual(contents(client), ["unheard"]);
});

test("a reader who comes back is told what happened meanwhile, edits and deletions too", async () => {
  const room = new FakeRoom();
  const { id } = room.story.say("before");
  const gone = room.story.say("regretted");
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);

  socket.cut();
  assert.equal(client.status.name, "reconnecting");
  room.story.edit(id, "before, corrected");
  room.story.delete(gone.id);
  room.story.say("after");
  socket.connect();
  await pass(2_000);

  assert.deepEqual(contents(client), ["before, corrected", "", "after"]);
});

test("nothing is shown after what is still missing, also while the reader catches up", async () => {
  const room = new FakeRoom();
  const known = [room.story.say("line 0").message];
  const { client } = reader(room, "Ada", { known });
  for (let number = 1; number < 300; number += 1) room.story.say(`line ${number}`);
  client.addEventListener("change", () => {
    assert.deepEqual(contents(client), contents(client).map((_, place) => `line ${place}`));
  });

  client.enter();
  await pass(3_000);

  assert.equal(client.log.messages.length, 300);
});

test("a reader who was away for very long gets the newest page instead of everything", async () => {
  const room = new FakeRoom();
  room.story.say("long ago");
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);

  socket.cut();
  for (let number = 0; number < 1_200; number += 1) room.story.say(`line ${number}`);
  socket.connect();
  await pass(2_000);

  assert.equal(client.log.messages.length, 50);
  assert.equal(contents(client).at(-1), "line 1199");
  assert.equal(client.hasOlder, true);
  assert.deepEqual(asked(socket, "getMessages"), []);
});

test("what the page knows already is completed, not asked for again", async () => {
  const room = new FakeRoom();
  const known = ["one", "two"].map((words) => room.story.say(words).message);
  for (let number = 0; number < 60; number += 1) room.story.say(`later ${number}`);
  const { client, socket } = reader(room, "Ada", { known });

  client.enter();
  await pass(2_000);

  assert.equal(client.log.messages.length, 62);
  assert.deepEqual(asked(socket, "getMessages").map(({ afterSeq }) => afterSeq), [2]);
});

test("older pages come before what is there, until the beginning", async () => {
  const room = new FakeRoom();
  for (let number = 1; number <= 120; number += 1) room.story.say(`line ${number}`);
  const { client } = reader(room);
  client.enter();
  await pass(1_000);

  assert.equal(await client.loadOlder(), 50);
  assert.equal(client.hasOlder, true);
  assert.equal(await client.loadOlder(), 20);
  assert.equal(client.hasOlder, false);
  assert.equal(await client.loadOlder(), 0);
  assert.deepEqual(contents(client), Array.from({ length: 120 }, (_, place) => `line ${place + 1}`));
});

test("a stretch of reactions without a message does not end the way back", async () => {
  const room = new FakeRoom();
  const { id } = room.story.say("first");
  const guest = { userId: "guest-x", isGuest: true };
  for (let number = 0; number < 120; number += 1) room.story.react(id, "👍", number % 2 === 0, guest);
  for (let number = 0; number < 50; number += 1) room.story.say(`late ${number}`);
  const { client } = reader(room);
  client.enter();
  await pass(1_000);

  assert.equal(await client.loadOlder(), 1);
  assert.equal(contents(client)[0], "first");
});

test("what was said is shown at once, sent once, and then part of the room", async () => {
  const room = new FakeRoom();
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);

  client.say("hello");
  assert.deepEqual(client.outbox.drafts.map(({ content }) => content), ["hello"]);
  await pass(1_000);

  assert.deepEqual(contents(client), ["hello"]);
  assert.deepEqual(client.outbox.drafts, []);
  assert.equal(asked(socket, "chatMessage").length, 1);
});

test("a message whose answer was lost is sent again and kept once", async () => {
  const room = new FakeRoom();
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);

  let losses = 2;
  socket.losesAnswer = () => losses-- > 0;
  socket.losesMessage = () => true;
  client.say("once");
  await pass(10_000);

  assert.deepEqual(room.story.entries.map(({ message }) => message?.content), ["once"]);
  assert.deepEqual(contents(client), ["once"]);
  assert.deepEqual(client.outbox.drafts, []);
});

test("a message that comes back from the room is not sent again, though its answer was lost", async () => {
  const room = new FakeRoom();
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);

  socket.losesAnswer = () => true;
  client.say("heard");
  await pass(10_000);

  assert.equal(asked(socket, "chatMessage").length, 1);
  assert.deepEqual(client.outbox.drafts, []);
});

test("a room that was left by the server is joined again before the message is repeated", async () => {
  const room = new FakeRoom();
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);

  room.members.delete(socket);
  client.say("still here");
  await pass(5_000);

  assert.deepEqual(contents(client), ["still here"]);
  assert.equal(asked(socket, "joinRoom").length, 2);
});

test("too fast: it says until when, and the message goes out then", async () => {
  const room = new FakeRoom();
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);
  /** @type {number[]} */
  const slow = [];
  client.addEventListener("slow", (event) => slow.push(/** @type {any} */ (event).detail.untilMs));

  const askedAt = Date.now();
  room.answers.chatMessage = () => ({ ok: false, code: "RATE_LIMITED", error: "x", retryAfterMs: 3_000 });
  client.say("eager");
  await settled();
  delete room.answers.chatMessage;
  assert.deepEqual(slow, [askedAt + 3_000]);
  await pass(2_000);
  assert.equal(asked(socket, "chatMessage").length, 1);
  await pass(2_000);

  assert.deepEqual(contents(client), ["eager"]);
});

test("a refused message is not sent again by itself and says why", async () => {
  const room = new FakeRoom();
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);

  room.answers.chatMessage = () => ({ ok: false, code: "VALIDATION_ERROR", error: "no such thing" });
  client.say("bad");
  await pass(30_000);

  assert.equal(asked(socket, "chatMessage").length, 1);
  assert.equal(client.outbox.drafts[0].state, "failed");
  assert.equal(client.outbox.drafts[0].reason, "no such thing");
});

test("a reader who is not let in is told, and not asked for again and again", async () => {
  const room = new FakeRoom();
  const { client, socket } = reader(room);
  room.answers.joinRoom = () => ({ ok: false, code: "FORBIDDEN", error: "not you" });

  client.enter();
  await pass(30_000);

  assert.deepEqual(client.status, { name: "refused", code: "FORBIDDEN", reason: "not you" });
  assert.equal(asked(socket, "joinRoom").length, 1);
});

test("while the store is away, joining is tried until it works", async () => {
  const room = new FakeRoom();
  const { client } = reader(room);
  room.answers.joinRoom = () => ({ ok: false, code: "INTERNAL_ERROR", error: "try again" });
  client.enter();
  await pass(5_000);
  assert.equal(client.status.name, "connecting");

  delete room.answers.joinRoom;
  await pass(5_000);

  assert.equal(client.status.name, "live");
});

test("a connection that the server closed is opened again", async () => {
  const room = new FakeRoom();
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);

  socket.cut("io server disconnect");
  await pass(5_000);

  assert.equal(client.status.name, "live");
});

test("a handshake without an account is final where one is needed", async () => {
  const { client, socket } = reader(new FakeRoom());
  client.enter();

  socket.hear("connect_error", Object.assign(new Error("sign in"), { data: { code: "UNAUTHENTICATED" } }));

  assert.equal(client.status.name, "refused");
});

test("a moderator's pause ends by itself, and a ban does not", async () => {
  const room = new FakeRoom();
  const { client } = reader(room);
  client.enter();
  await pass(1_000);

  const until = new Date(Date.now() + 60_000).toISOString();
  room.tell("moderationNotice", { bookId: 42, action: "timeout", until, reason: "calm down" });
  assert.deepEqual(client.status, { name: "removed", action: "timeout", until, reason: "calm down" });
  await pass(65_000);
  assert.equal(client.status.name, "live");

  room.tell("moderationNotice", { action: "ban" });
  await pass(120_000);
  assert.equal(client.status.name, "removed");

  room.tell("moderationNotice", { action: "unban" });
  await pass(1_000);
  assert.equal(client.status.name, "live");
});

test("events of other rooms on the same socket are none of its business", async () => {
  const room = new FakeRoom();
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);

  const { message } = room.story.say("elsewhere");
  socket.hear("newMessage", { ...message, bookId: 43 });
  socket.hear("previousMessages", [{ ...message, bookId: 43 }]);
  socket.hear("userLeft", { bookId: 43, userId: "guest-Ada", username: "Ada", isGuest: true, members: 0 });
  await pass(1_000);

  assert.deepEqual(contents(client), []);
  assert.equal(client.presentCount, 1);
});

test("presence follows comings and goings, and asks when its count is wrong", async () => {
  const room = new FakeRoom();
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);
  const ben = { userId: "guest-Ben", username: "Ben", isGuest: true };

  room.tell("userJoined", { ...ben, bookId: 42, members: 2 });
  assert.deepEqual(client.present.map(({ username }) => username), ["Ada", "Ben"]);
  room.tell("userLeft", { ...ben, bookId: 42, members: 1 });
  assert.deepEqual(client.present.map(({ username }) => username), ["Ada"]);
  assert.equal(asked(socket, "getPresence").length, 1);

  room.tell("roomHead", { bookId: 42, seq: 0, members: 3 });
  await settled();
  assert.equal(asked(socket, "getPresence").length, 2);
});

test("after leaving, the socket is left alone", async () => {
  const room = new FakeRoom();
  const { client, socket } = reader(room);
  client.enter();
  await pass(1_000);

  client.leave();
  room.story.say("unheard");
  room.tellNewest();

  assert.deepEqual(asked(socket, "leaveRoom"), [{ bookId: 42 }]);
  assert.deepEqual(contents(client), []);
  assert.equal(client.status.name, "idle");
});

test("who leaves before the answer to joining is not in the room after it", async () => {
  const room = new FakeRoom();
  const { client } = reader(room);
  client.enter();
  await Promise.resolve(); // connected, and asked

  client.leave();
  await pass(5_000);

  assert.equal(client.status.name, "idle");
});

test("whatever is lost on the way, all readers end with the room's log, each message once", async () => {
  for (let seed = 1; seed <= 25; seed += 1) {
    const random = randomness(seed);
    const room = new FakeRoom();
    const readers = ["Ada", "Ben", "Cleo"].map((name) => reader(room, name, { random }));
    for (const { client, socket } of readers) {
      socket.losesMessage = () => random() < 0.3;
      socket.losesAnswer = () => random() < 0.15;
      client.enter();
    }
    const said = await disturbed(room, readers, random);

    for (const { socket } of readers) {
      socket.losesMessage = () => false;
      socket.losesAnswer = () => false;
      socket.connect();
    }
    await pass(40_000);
    room.tell("roomHead", { bookId: 42, seq: room.story.head, members: 3 });
    await pass(5_000);

    const expected = room.story.pageAt(room.story.head).map(({ content }) => content).reverse();
    assert.deepEqual([...expected].sort(), [...said].sort(), `seed ${seed}: kept once each`);
    for (const { client } of readers) {
      assert.deepEqual(client.outbox.drafts, [], `seed ${seed}`);
      assert.deepEqual(contents(client), expected, `seed ${seed}`);
      const own = `${client.reader.username} `;
      const ownWords = (/** @type {string[]} */ all) => all.filter((words) => words.startsWith(own));
      assert.deepEqual(ownWords(expected), ownWords(said), `seed ${seed}: in the order of writing`);
    }
  }
});

/**
 * Everybody writes while sockets are cut; gives what was said.
 * @param {FakeRoom} room
 * @param {{socket: FakeSocket, client: RoomClient}[]} readers
 * @param {() => number} random
 */
async function disturbed(room, readers, random) {
  const said = [];
  for (let round = 1; round <= 12; round += 1) {
    for (const { client, socket } of readers) {
      if (random() < 0.2) socket.cut();
      else if (!socket.connected) socket.connect();
      if (random() < 0.6) {
        const words = `${client.reader.username} ${round}`;
        client.say(words);
        said.push(words);
      }
    }
    await pass(500);
  }
  return said;
}
