/** A session loses no sound, whatever the network and the server do. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { NoAnswer, Refusal, SessionClient } from "../../../../speech/static/speech/session-client.js";

/** @typedef {{event: string, data: any, answer: (envelope: any) => void, fail: () => void}} Asked */

/** A socket whose server is the test. */
class Socket {
  /** @type {Map<string, (...args: any[]) => void>} */
  #ears = new Map();
  /** @type {Asked[]} */
  asked = [];

  on(/** @type {string} */ event, /** @type {(...args: any[]) => void} */ ear) {
    this.#ears.set(event, ear);
  }

  hear(/** @type {string} */ event, /** @type {any} */ data) {
    this.#ears.get(event)?.(data);
  }

  timeout() {
    return {
      emitWithAck: (/** @type {string} */ event, /** @type {any} */ data) =>
        new Promise((resolve, reject) => {
          this.asked.push({ event, data, answer: resolve, fail: () => reject(new Error("timeout")) });
        }),
    };
  }
}

/** What waits for a promise has run. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

const success = (/** @type {any} */ data = {}) => ({ success: true, data, timestamp: 1 });
const failure = (/** @type {string} */ code, more = {}) => ({ success: false, error: "no", code, ...more });

async function streaming() {
  const socket = new Socket();
  const session = new SessionClient(socket);
  const started = session.start();
  await answer(socket, success({ sessionId: "s1", status: "active", resumeKey: "k" }));
  await answer(socket, success());
  await started;
  return { socket, session };
}

/** Answer the oldest request. */
async function answer(/** @type {Socket} */ socket, /** @type {any} */ envelope) {
  await settle();
  const asked = socket.asked.shift();
  assert.ok(asked, "nothing was asked");
  if (envelope === null) asked.fail();
  else asked.answer(envelope);
  await settle();
  return asked;
}

const trouble = (/** @type {SessionClient} */ session) => {
  /** @type {string[]} */
  const said = [];
  session.addEventListener("trouble", (event) => said.push(/** @type {CustomEvent} */ (event).detail));
  return said;
};

test("chunks go out one after the other, numbered from one", async () => {
  const { socket, session } = await streaming();
  session.send("QQ==", "audio/webm");
  session.send("Qg==", "audio/webm");

  const first = await answer(socket, success());
  const second = await answer(socket, success());

  assert.deepEqual(first.data, { sessionId: "s1", seq: 1, base64: "QQ==", mimeType: "audio/webm" });
  assert.equal(second.data.seq, 2);
  assert.equal(socket.asked.length, 0);
});

test("what the server did not take is sent again under its number when the connection is back", async () => {
  const { socket, session } = await streaming();
  session.send("QQ==", "audio/webm");
  socket.hear("disconnect", "transport close");
  assert.equal(session.state, "reconnecting");
  session.send("Qg==", "audio/webm");
  await answer(socket, null);

  socket.hear("connect", undefined);
  const found = await answer(socket, success({ status: "active", transcript: [] }));
  const resumed = await answer(socket, success());

  assert.deepEqual(found.data, { sessionId: "s1", resumeKey: "k" });
  assert.deepEqual(resumed.data, { sessionId: "s1", resume: true });
  assert.equal((await answer(socket, success())).data.seq, 1);
  assert.equal((await answer(socket, success())).data.seq, 2);
});

test("a session that is not found again asks for a new recording", async () => {
  const { socket, session } = await streaming();
  let restarts = 0;
  session.addEventListener("restart", () => (restarts += 1));
  socket.hear("disconnect", "transport close");
  socket.hear("connect", undefined);

  await answer(socket, failure("SESSION_EXISTS"));

  assert.equal(restarts, 1);
  assert.equal(session.state, "idle");
});

test("a server that is busy, or does not answer, gets the same chunk later", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { socket, session } = await streaming();
    session.send("QQ==", "audio/webm");
    await answer(socket, failure("RATE_LIMITED", { retryAfterMs: 500 }));
    mock.timers.tick(499);
    await settle();
    assert.equal(socket.asked.length, 0);
    mock.timers.tick(1);
    await answer(socket, null);
    mock.timers.tick(1_000);

    assert.equal((await answer(socket, success())).data.seq, 1);
  } finally {
    mock.timers.reset();
  }
});

test("a refusal that will not change ends the session and says why", async () => {
  const { socket, session } = await streaming();
  const said = trouble(session);
  session.send("QQ==", "audio/webm");

  await answer(socket, failure("INVALID_STATE"));

  assert.deepEqual(said, ["No."]);
  assert.equal(session.state, "idle");
});

test("the end waits until everything has been sent", async () => {
  const { socket, session } = await streaming();
  session.send("QQ==", "audio/webm");
  const ended = session.end();
  await settle();
  assert.deepEqual(socket.asked.map(({ event }) => event), ["audio:chunk"]);

  await answer(socket, success());
  const last = await answer(socket, success());
  await ended;

  assert.equal(last.event, "session:end");
  assert.equal(session.state, "idle");
});

test("what belongs to another session is not heard", async () => {
  const { socket, session } = await streaming();
  /** @type {any[]} */
  const heard = [];
  session.addEventListener("transcription", (event) => heard.push(/** @type {CustomEvent} */ (event).detail.text));

  socket.hear("audio:transcription", { sessionId: "other", text: "not mine" });
  socket.hear("audio:transcription", { sessionId: "s1", text: "mine" });

  assert.deepEqual(heard, ["mine"]);
});

test("sound is given up only after two minutes, and that is said", async () => {
  const { socket, session } = await streaming();
  const said = trouble(session);
  socket.hear("disconnect", "transport close");

  for (let number = 0; number < 120; number += 1) session.send("QQ==", "audio/webm");
  assert.deepEqual(said, []);
  session.send("QQ==", "audio/webm");

  assert.equal(said.length, 1);
});

test("a session that cannot start says so and is idle", async () => {
  const socket = new Socket();
  const session = new SessionClient(socket);
  const started = assert.rejects(session.start(), Refusal);

  await answer(socket, failure("RATE_LIMITED"));
  await started;

  assert.equal(session.state, "idle");
});

test("what is not answered, or is refused, is told in words for the reader", async () => {
  const socket = new Socket();
  const session = new SessionClient(socket);
  const unanswered = session.start();
  unanswered.catch(() => {});
  await answer(socket, null);
  const refused = session.start();
  refused.catch(() => {});
  await answer(socket, { ...failure("RATE_LIMITED"), error: "too many requests" });

  await assert.rejects(unanswered, (error) => error instanceof NoAnswer && /does not answer\. Try/.test(error.message));
  await assert.rejects(refused, (error) => error instanceof Refusal && error.message === "Too many requests.");
  assert.equal(session.state, "idle");
});
