/** The page of voice sessions: puts microphone, session, transcript and settings together. */

import { io } from "socket.io-client";

import { hide, isBusy, keepBusy } from "./focus.js";
import { hook } from "./hooks.js";
import { MicrophoneRefused } from "./microphone.js";
import { NoAnswer, Refusal, SessionClient, sentence } from "./session-client.js";
import { Recorder } from "./session-recorder.js";
import { Settings } from "./session-settings.js";
import { Timeline, Transcript } from "./session-transcript.js";

const WORDS = {
  idle: "Ready",
  starting: "Starting",
  streaming: "Listening",
  paused: "Paused; nothing is recorded",
  reconnecting: "Connection lost; what you say is kept and sent when it is back",
};
const TICK_MS = 500;
const UNREACHABLE = "The server cannot be reached. This page goes on trying.";

/** @type {HTMLButtonElement} */
const record = hook("record");
/** @type {HTMLButtonElement} */
const pause = hook("pause");
const state = hook("state");
const trouble = hook("trouble");
const meter = hook("meter");

const socket = io({ transports: ["websocket", "polling"], tryAllTransports: true });
const session = new SessionClient(socket);
const transcript = new Transcript();
const timeline = new Timeline();
const recorder = new Recorder((base64, mimeType) => session.send(base64, mimeType), showLevel);

/** Whether the page says that it cannot reach the server. */
let isCutOff = false;
let pieceMs = 1_000;
let recordedMs = 0;
let shownLevel = -1;

new Settings(socket, (config) => {
  pieceMs = config.pipeline?.chunkMs ?? pieceMs;
  hook("recorded").hidden = !config.pipeline?.recordAudio;
});

recorder.addEventListener("lost", async () => {
  await finish();
  complain("The microphone has gone. Plug it in again, and start anew.");
});
socket.on("connect", () => {
  if (isCutOff) complain("");
  isCutOff = false;
  show();
});
socket.on("disconnect", show);
socket.on("connect_error", (error) => {
  isCutOff = true;
  // A server that lets nobody in says so in words for the reader; a network has none.
  complain(error.data ? sentence(error.message) : UNREACHABLE);
});
session.addEventListener("state", show);
session.addEventListener("transcription", (event) => transcript.add(detailOf(event)));
session.addEventListener("vad", (event) => {
  const activity = detailOf(event);
  timeline.add(activity);
  state.dataset.isSpeaking = String(activity.speaking);
  if (session.state === "streaming") state.textContent = activity.speaking ? "You are speaking" : WORDS.streaming;
});
session.addEventListener("trouble", (event) => {
  complain(detailOf(event));
  if (session.state === "idle") void giveUp();
});
session.addEventListener("restart", () => void restart());
record.addEventListener("click", () => {
  if (!isBusy(record)) void (session.state === "idle" ? begin() : finish());
});
pause.addEventListener("click", () => { if (!isBusy(pause)) void turn(); });
record.disabled = false;
setInterval(() => {
  if (session.state === "streaming") timeline.advance((recordedMs += TICK_MS));
}, TICK_MS);
show();

async function begin() {
  complain("");
  keepBusy(record, true);
  try {
    await recorder.open();
    await session.start();
    transcript.clear();
    timeline.clear();
    recordedMs = 0;
    await recordNow();
  } catch (error) {
    complain(wordsFor(error));
    recorder.close();
  }
  show();
}

async function finish() {
  keepBusy(record, true);
  await recorder.stop();
  recorder.close();
  try {
    await session.end();
  } catch (error) {
    complain(wordsFor(error));
  }
  show();
}

async function turn() {
  keepBusy(pause, true);
  try {
    if (session.state === "paused") {
      await session.resume();
      recorder.resume();
    } else {
      await pauseBoth();
    }
  } catch (error) {
    complain(wordsFor(error));
  }
  keepBusy(pause, false);
  show();
}

/** Record into the session that has begun, unless the microphone has gone meanwhile. */
async function recordNow() {
  if (recorder.isOpen) recorder.start(pieceMs);
  else await session.end();
}

/** What is still heard by the session is still recorded. */
async function pauseBoth() {
  recorder.pause();
  try {
    await session.pause();
  } catch (error) {
    recorder.resume();
    throw error;
  }
}

/** The session could not be found again: go on with a new one, which needs a new recording. */
async function restart() {
  await recorder.stop();
  try {
    await session.start();
    await recordNow();
    if (recorder.isOpen) complain("The connection was lost. This is a new session; what was said in between is missing.");
  } catch (error) {
    complain(wordsFor(error));
    recorder.close();
  }
  show();
}

async function giveUp() {
  await recorder.stop();
  recorder.close();
  show();
}

function show() {
  const isOn = session.state !== "idle";
  keepBusy(record, session.state === "starting" || (!isOn && !socket.connected));
  record.textContent = isOn ? "Stop recording" : "Start recording";
  record.dataset.isOn = String(isOn);
  if (["streaming", "paused"].includes(session.state)) pause.hidden = false;
  else hide(pause, record);
  hook("empty").textContent = isOn ? "Nothing yet. Speak, and it is written here." : "Nothing yet. Press the button and speak.";
  pause.textContent = session.state === "paused" ? "Resume" : "Pause";
  state.textContent = isOn || socket.connected ? WORDS[session.state] : "Connecting";
  state.dataset.isSpeaking = "false";
}

/**
 * @param {unknown} error
 * @returns {string} for the reader; a fault of this page goes where faults are looked for
 */
function wordsFor(error) {
  const isMeant = [MicrophoneRefused, NoAnswer, Refusal].some((kind) => error instanceof kind);
  if (isMeant) return /** @type {Error} */ (error).message;
  reportError(error);
  return "Something went wrong on this page. Reload it, and try again.";
}

/** @param {string} words */
function complain(words) {
  trouble.textContent = words;
  trouble.hidden = words === "";
}

/** @param {number} level 0 to 1 */
function showLevel(level) {
  const percent = Math.round(level * 100);
  if (percent === shownLevel) return;
  shownLevel = percent;
  meter.style.setProperty("--level", String(level));
  meter.setAttribute("aria-valuenow", String(percent));
}

/** @param {Event} event @returns {any} */
function detailOf(event) {
  return /** @type {CustomEvent} */ (event).detail;
}
