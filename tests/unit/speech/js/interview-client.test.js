import assert from "node:assert/strict";
import { test } from "node:test";

import { InterviewClient } from "../../../../speech/static/speech/interview-client.js";

const QUESTION = { question: "What is a thread?", number: 1, topic: "OS", difficulty: "easy", curveball: false };

/** A socket whose server is the test. */
class FakeSocket {
  connected = false;
  active = true;
  /** @type {[string, any][]} */
  sent = [];
  /** @type {Record<string, any>} Acknowledgements by event; `null` for none in time. */
  replies = {};
  #ears = new Map();

  on(event, hear) {
    this.#ears.set(event, [...(this.#ears.get(event) ?? []), hear]);
  }

  connect() {
    this.connected = true;
    this.tell("connect");
  }

  disconnect() {
    this.connected = false;
  }

  lose() {
    this.connected = false;
    this.tell("disconnect", "transport close");
  }

  emit(event, payload) {
    this.sent.push([event, payload]);
  }

  timeout() {
    return {
      emitWithAck: async (event, payload) => {
        this.emit(event, payload);
        const reply = this.replies[event];
        if (reply === null) throw new Error("operation has timed out");
        return reply ?? { ok: true };
      },
    };
  }

  tell(event, detail) {
    for (const hear of this.#ears.get(event) ?? []) hear(detail);
  }

  refuse(event, code, error = "no") {
    this.replies[event] = { ok: false, code, error };
    this.tell("interview_error", { event, code, error });
  }
}

function interview(choice = { topic: "OS", questions: 3, stress: false }) {
  const socket = new FakeSocket();
  const client = new InterviewClient({ socket, userId: 7, choice });
  const heard = [];
  for (const name of ["question", "transcript", "timer", "answer", "result", "problem", "line"]) {
    client.addEventListener(name, ({ detail }) => heard.push([name, detail]));
  }
  return { socket, client, heard };
}

async function inTurn() {
  const made = interview();
  await made.client.begin();
  made.socket.tell("agent_next_question", QUESTION);
  await made.client.ready();
  made.socket.tell("user_turn_started", {});
  return made;
}

test("a start says what was chosen, and leaves out what was not", async () => {
  const one = interview();
  await one.client.begin();
  const other = interview({ topic: null, questions: 5, stress: true });
  await other.client.begin();

  assert.deepEqual(one.socket.sent, [
    ["start_interview", { user_id: 7, stress_test: false, question_count: 3, topic: "OS" }],
  ]);
  assert.deepEqual(other.socket.sent, [
    ["start_interview", { user_id: 7, stress_test: true, question_count: 5 }],
  ]);
});

test("an interview goes from question to turn to processing to the next question", async () => {
  const { socket, client, heard } = interview();
  const phases = [];
  client.addEventListener("phase", ({ detail }) => phases.push(detail));

  await client.begin();
  socket.tell("agent_next_question", QUESTION);
  await client.ready();
  socket.tell("user_turn_started", {});
  await client.done();
  socket.tell("force_stop_speaking", {});
  socket.tell("user_answer_complete", { answer: "it shares memory" });
  socket.tell("agent_next_question", { ...QUESTION, number: 2 });

  assert.deepEqual(phases, ["starting", "question", "opening", "turn", "processing", "question"]);
  assert.deepEqual(heard.map(([name]) => name), ["line", "question", "answer", "question"]);
});

test("sound and words are sent in the turn of the reader only", async () => {
  const { socket, client } = await inTurn();
  const pcm = new ArrayBuffer(8_000);
  socket.sent.length = 0;

  client.hear(pcm);
  client.write("it shares", false);
  socket.tell("force_stop_speaking", {});
  client.hear(pcm);
  client.write("it shares memory", true);

  assert.deepEqual(socket.sent, [
    ["audio_chunk", { user_id: 7, audio_data: pcm, sample_rate: 16_000 }],
    ["client_transcript", { user_id: 7, text: "it shares", is_final: false }],
  ]);
});

test("sound is not kept for a connection that is lost", async () => {
  const { socket, client } = await inTurn();
  socket.lose();
  socket.sent.length = 0;

  client.hear(new ArrayBuffer(8));

  assert.deepEqual(socket.sent, []);
});

test("an interview that runs is taken up again when the connection is back", async () => {
  const { socket, client, heard } = await inTurn();
  socket.lose();
  socket.sent.length = 0;

  socket.connect();
  socket.tell("agent_next_question", QUESTION);
  socket.tell("interview_started", { resumed: true, state: "user" });
  socket.tell("user_turn_started", {});

  assert.deepEqual(socket.sent, [["start_interview", { user_id: 7, resume: true }]]);
  assert.equal(client.phase, "turn");
  assert.deepEqual(heard.filter(([name]) => name === "line").slice(-2), [["line", false], ["line", true]]);
});

test("a turn that is taken up again was never left, so that nothing in it is lost", async () => {
  const { socket, client } = await inTurn();
  const phases = [];
  client.addEventListener("phase", ({ detail }) => phases.push(detail));

  socket.lose();
  socket.connect();
  socket.tell("agent_next_question", QUESTION);
  socket.tell("interview_started", { resumed: true, state: "user" });
  socket.tell("user_turn_started", {});

  assert.deepEqual(phases, []);
});

test("an answer that ended meanwhile is followed by the next question", async () => {
  const { socket, client } = await inTurn();

  socket.lose();
  socket.connect();
  socket.tell("agent_next_question", { ...QUESTION, number: 2 });
  socket.tell("interview_started", { resumed: true, state: "interviewer" });

  assert.equal(client.phase, "question");
});

test("of an interview that ended meanwhile the result is asked for", async () => {
  const { socket, client } = await inTurn();
  socket.lose();
  socket.connect();
  socket.sent.length = 0;

  socket.refuse("start_interview", "SESSION_NOT_FOUND");
  assert.deepEqual(socket.sent, [["stop_interview", { user_id: 7 }]]);
  socket.tell("interview_complete", { session_id: "s1" });

  assert.equal(client.phase, "over");
});

test("an interview of which nothing is left is over, and that is said", async () => {
  const { socket, client, heard } = await inTurn();

  socket.refuse("start_interview", "SESSION_NOT_FOUND");
  socket.refuse("stop_interview", "SESSION_NOT_FOUND");

  assert.equal(client.phase, "over");
  assert.equal(heard.at(-1)[0], "problem");
  assert.match(heard.at(-1)[1].words, /ended while you were away/u);
});

test("an interview that goes on elsewhere can be taken over", async () => {
  const { socket, client, heard } = interview();
  await client.begin();
  socket.refuse("start_interview", "INTERVIEW_IN_PROGRESS");
  assert.equal(client.phase, "ready");
  assert.equal(heard.at(-1)[1].code, "INTERVIEW_IN_PROGRESS");

  delete socket.replies.start_interview;
  socket.sent.length = 0;
  await client.resume();

  assert.deepEqual(socket.sent, [["start_interview", { user_id: 7, resume: true }]]);
});

test("what is wrong with the sound is said once in a turn", async () => {
  const { socket, heard } = await inTurn();

  for (let chunk = 0; chunk < 4; chunk += 1) {
    socket.tell("interview_error", { event: "audio_chunk", code: "PROVIDER_UNAVAILABLE", error: "x" });
  }

  assert.equal(heard.filter(([name]) => name === "problem").length, 1);
});

test("a server that does not answer is complained about, and the step can be repeated", async () => {
  const { socket, client, heard } = interview();
  await client.begin();
  socket.tell("agent_next_question", QUESTION);
  socket.replies.interviewer_done = null;

  await client.ready();

  assert.equal(client.phase, "question");
  assert.deepEqual(heard.at(-1)[0], "problem");
  assert.equal(heard.at(-1)[1].code, "NO_ANSWER");
});

test("a refusal is shown as a sentence", async () => {
  const { socket, heard } = interview();

  socket.tell("interview_error", { event: "start_interview", code: "VALIDATION_ERROR", error: "no such topic" });

  assert.equal(heard.at(-1)[1].words, "No such topic.");
});

test("after the result nothing more is heard", async () => {
  const { socket, client, heard } = await inTurn();
  socket.tell("interview_complete", { session_id: "s1" });
  const count = heard.length;

  socket.tell("timer_update", {});
  socket.tell("disconnect", "io client disconnect");

  assert.equal(heard.length, count);
  assert.equal(socket.connected, false);
  assert.equal(client.isRunning, false);
});

test("a server that is set up for old clients asks its first question under another name", async () => {
  const { socket, client, heard } = interview();
  await client.begin();

  socket.tell("agent_intro_question", QUESTION);

  assert.deepEqual(heard.at(-1), ["question", QUESTION]);
  assert.equal(client.phase, "question");
});

test("the id of the interview is known as soon as it is told", async () => {
  const { socket, client } = interview();
  const ids = [];
  client.addEventListener("started", ({ detail }) => ids.push(detail.session_id));
  await client.begin();

  socket.tell("interview_started", { session_id: "s1", state: "interviewer", resumed: false });

  assert.deepEqual(ids, ["s1"]);
});
