/** What the server says of live talk becomes lines, sound and phases, and nothing brings back what has ended. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { VoiceGateway, VoiceRefused } from "../../../../speech/static/speech/gateway.js";

const WISHES = { systemMessage: "Be brief.", temperature: 0.8, bookId: 7 };

/** A socket whose server is the test. */
class Socket {
  /** @type {Map<string, (argument?: any) => void>} */
  ears = new Map();
  /** @type {any[][]} */
  sent = [];
  /** @type {any} */
  ack = { ok: true };

  on(/** @type {string} */ event, /** @type {any} */ hear) {
    this.ears.set(event, hear);
  }

  emit(/** @type {any[]} */ ...what) {
    this.sent.push(what);
  }

  timeout() {
    return {
      emitWithAck: async (/** @type {any[]} */ ...what) => {
        this.sent.push(what);
        if (this.ack === null) throw new Error("timeout");
        return this.ack;
      },
    };
  }

  /** @param {string} event @param {any} [argument] */
  say(event, argument) {
    this.ears.get(event)?.(argument);
  }
}

function talking() {
  const socket = new Socket();
  const gateway = new VoiceGateway(/** @type {any} */ (socket));
  /** @type {any[]} */
  const told = [];
  for (const name of ["line", "sound", "answer", "clear", "trouble"]) {
    gateway.addEventListener(name, (event) => told.push([name, /** @type {CustomEvent} */ (event).detail]));
  }
  gateway.addEventListener("phase", () => told.push(["phase", gateway.phase]));
  return { socket, gateway, told };
}

async function started() {
  const scene = talking();
  await scene.gateway.start(WISHES);
  scene.socket.say("sessionStatus", { active: true });
  scene.socket.say("state", 2);
  scene.told.length = 0;
  return scene;
}

test("a talk begins when the provider listens, and ends when it was stopped", async () => {
  const { socket, gateway, told } = talking();

  await gateway.start(WISHES);
  assert.equal(gateway.phase, "connecting");
  gateway.send(new ArrayBuffer(4));
  socket.say("state", 2);
  gateway.send(new Uint8Array([0, 1, 0, 2]));
  await gateway.stop();

  assert.deepEqual(socket.sent, [["start", WISHES], ["sendAudio", { audio: "AAEAAg==" }], ["stop", {}]]);
  assert.deepEqual(told.map(([, phase]) => phase), ["connecting", "on", "ending", "off"]);
});

test("a refusal says why, and no answer says so", async () => {
  const { socket, gateway } = talking();
  socket.ack = { ok: false, code: "RATE_LIMITED", error: "Voice limit reached" };

  await assert.rejects(gateway.start(WISHES), (error) =>
    error instanceof VoiceRefused && error.code === "RATE_LIMITED" && error.message === "Voice limit reached");
  assert.equal(gateway.phase, "off");

  socket.ack = null;
  await assert.rejects(gateway.start(WISHES), { code: "NO_ANSWER" });
  assert.equal(gateway.phase, "off");
});

test("sound belongs to the answer that was announced, and words on its event are no sound", async () => {
  const { socket, told } = await started();

  socket.say("audio", "Session start");
  socket.say("audioControl", { type: "answerStart", itemId: "a" });
  socket.say("audio", "AAEAAg==");
  socket.say("audioControl", { type: "answerEnd", itemId: "a" });
  socket.say("audio", "clear");

  assert.deepEqual(told, [
    ["answer", { item: "a", isOver: false }],
    ["sound", { pcm: new Uint8Array([0, 1, 0, 2]), item: "a" }],
    ["answer", { item: "a", isOver: true }],
    ["clear", null],
  ]);
});

test("a provider that is called again is waited for", async () => {
  const { socket, gateway, told } = await started();

  socket.say("audioControl", { type: "reconnecting" });
  gateway.send(new ArrayBuffer(2));
  socket.say("state", 0);
  socket.say("state", 2);
  gateway.played("a", 5);

  assert.deepEqual(told, [["phase", "reconnecting"], ["phase", "on"]]);
  assert.deepEqual(socket.sent.slice(1), [["audioPlayed", { itemId: "a", ms: 5 }]]);
});

test("what ends by itself is over, and a lost connection silences it", async () => {
  const { socket, gateway, told } = await started();
  socket.say("error", "Session ended: no audio for 10 minutes");
  socket.say("sessionStatus", { active: false });
  assert.deepEqual(told, [["trouble", { message: "Session ended: no audio for 10 minutes" }], ["phase", "off"]]);

  const other = await started();
  other.socket.say("disconnect");
  assert.deepEqual(other.told.map(([name]) => name), ["phase", "clear", "trouble"]);
  other.socket.say("disconnect");
  assert.equal(other.told.length, 3);
  assert.equal(gateway.phase, "off");
});

test("a late confirmation does not bring back a talk that is ending", async () => {
  const { socket, gateway } = await started();
  const stopping = gateway.stop();
  socket.say("state", 2);

  assert.equal(gateway.phase, "ending");
  await stopping;
  assert.equal(gateway.phase, "off");
});
