/** The voice page: puts microphone, gateway, playback and what is seen together. */

import { io } from "socket.io-client";

import { hide, isBusy, keepBusy } from "./focus.js";
import { RATE_HZ, VoiceGateway, VoiceRefused } from "./gateway.js";
import { hook } from "./hooks.js";
import { Microphone, MicrophoneRefused } from "./microphone.js";
import { Playback } from "./playback.js";
import { NoSound } from "./sound.js";
import { TalkButton } from "./talk-button.js";
import { Timeline, heightOf } from "./timeline.js";
import { Transcript } from "./transcript.js";

const WISHES = "Talk with the reader about this book.";
const TEMPERATURE = 0.8;
const BLOCK_MS = 100;
/** Silence after a held turn: longer than any pause that a detector waits for. */
const CLOSING_BLOCKS = 8;
const REPORT_MS = 500;
const CONNECT_MS = 10_000;
/** Errors that say to the reader what to do. */
const REFUSALS = [MicrophoneRefused, NoSound, VoiceRefused];

const page = hook("voice");
/** @type {{bookId: number}} */
const config = JSON.parse(document.getElementById("voice-config")?.textContent ?? "");
const socket = io({ transports: ["websocket", "polling"], tryAllTransports: true, autoConnect: false });
const gateway = new VoiceGateway(socket);
const playback = new Playback({ rateHz: RATE_HZ });
const microphone = new Microphone({
  workletUrl: page.dataset.worklet ?? "", rateHz: RATE_HZ, blockMs: BLOCK_MS,
});
const transcript = new Transcript({
  log: hook("log"), scroller: hook("scroller"), empty: hook("empty"),
  template: /** @type {HTMLTemplateElement} */ (page.querySelector("template")),
});
const timeline = new Timeline(
  /** @type {HTMLCanvasElement} */ (hook("timeline")), () => playback.level,
);
const main = /** @type {HTMLButtonElement} */ (hook("main"));
const talk = new TalkButton(main);
const quiet = hook("quiet");
const end = hook("end");

/** Whether the microphone is being asked for, or the server. */
let isOpening = false;
/** @type {string | null} the answer that the reader does not want to hear */
let unwanted = null;
/** @type {ArrayBuffer | null} what was heard just before a held turn: words begin before the finger */
let before = null;

main.disabled = false;
main.addEventListener("click", () => {
  if (isBusy(main)) return;
  if (gateway.phase === "off" && !isOpening) begin();
  else if (!isHeld() && gateway.phase !== "off") finish();
});
end.addEventListener("click", finish);
quiet.addEventListener("click", beQuiet);
addEventListener("keydown", ({ key }) => { if (key === "Escape" && playback.isPlaying) beQuiet(); });
hook("modes").addEventListener("change", show);
addEventListener("pagehide", () => socket.disconnect());

microphone.addEventListener("level", (event) => hearLevel(/** @type {CustomEvent} */ (event).detail.rms));
microphone.addEventListener("block", (event) => hearBlock(/** @type {CustomEvent} */ (event).detail.pcm));
microphone.addEventListener("lost", async () => {
  await finish();
  complain("The microphone has gone. Plug it in again, and start anew.");
});
talk.addEventListener("begin", () => {
  silence();
  if (before) gateway.send(before);
  show();
});
talk.addEventListener("end", endHeldTurn);

gateway.addEventListener("phase", () => {
  if (gateway.phase === "off" && !isOpening) letGo();
  show();
});
gateway.addEventListener("line", (event) => {
  transcript.add(/** @type {CustomEvent} */ (event).detail);
  show();
});
gateway.addEventListener("sound", (event) => {
  const { pcm, item } = /** @type {CustomEvent} */ (event).detail;
  if (item === null || item !== unwanted) playback.push(pcm, { item });
});
gateway.addEventListener("clear", silence);
gateway.addEventListener("trouble", (event) => complain(/** @type {CustomEvent} */ (event).detail.message));
for (const name of ["playing", "idle"]) playback.addEventListener(name, show);
setInterval(reportPlayed, REPORT_MS);

async function begin() {
  complain("");
  isOpening = true;
  show();
  try {
    await playback.open();
    await microphone.open();
    await connect();
    const wishes = /** @type {HTMLTextAreaElement} */ (hook("wishes")).value.trim();
    await gateway.start({
      systemMessage: wishes || WISHES, temperature: TEMPERATURE, bookId: config.bookId,
    });
    timeline.start();
  } catch (error) {
    if (REFUSALS.some((kind) => error instanceof kind)) complain(/** @type {Error} */ (error).message);
    else throw error;
  } finally {
    isOpening = false;
    if (gateway.phase === "off") await letGo();
    show();
  }
}

async function finish() {
  talk.enable(false);
  if (gateway.phase === "on") await microphone.flush();
  await microphone.close();
  try {
    await gateway.stop();
  } catch (error) {
    if (!(error instanceof VoiceRefused)) throw error;
    complain(error.message);
  }
}

/** There is no session any more, whoever has ended it; what was said may be heard to its end. */
async function letGo() {
  timeline.stop();
  transcript.settle();
  await microphone.close();
}

/** @returns {Promise<void>} */
function connect() {
  if (socket.connected) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const refuse = (/** @type {Error & {data?: {code?: string}}} */ error) => {
      const needsAccount = error.data?.code === "UNAUTHENTICATED";
      reject(new VoiceRefused(
        needsAccount ? "Log in to talk with a book." : "The server cannot be reached. Try again in a moment.",
        error.data?.code ?? "NO_ANSWER",
      ));
    };
    const late = setTimeout(() => refuse(new Error("late")), CONNECT_MS);
    socket.once("connect", () => { clearTimeout(late); socket.off("connect_error", refuse); resolve(); });
    socket.once("connect_error", (error) => { clearTimeout(late); refuse(error); });
    socket.connect();
  });
}

// ---------------------------------------------------------------- sound

/** @param {number} rms */
function hearLevel(rms) {
  const isHeard = gateway.phase === "on" && (!isHeld() || talk.isOn);
  timeline.hear(isHeard ? rms : 0);
  main.style.setProperty("--level", isHeard ? heightOf(rms).toFixed(2) : "0");
}

/** @param {ArrayBuffer} pcm */
function hearBlock(pcm) {
  if (!isHeld() || talk.isOn) gateway.send(pcm);
  before = pcm;
}

async function endHeldTurn() {
  show();
  await microphone.flush();
  // The detector hears by the clock of the sound: the turn ends as soon as this has arrived.
  const nothing = new Uint8Array((RATE_HZ * 2 * BLOCK_MS) / 1_000);
  for (let n = 0; n < CLOSING_BLOCKS; n += 1) gateway.send(nothing);
}

/** Drop what has not been played, and tell how far it was. */
function silence() {
  const heard = playback.clear();
  if (heard?.item) gateway.played(heard.item, heard.ms);
}

function beQuiet() {
  unwanted = playback.current;
  silence();
}

function reportPlayed() {
  const item = playback.current;
  if (item !== null) gateway.played(item, playback.playedMs(item));
}

// ---------------------------------------------------------------- what is seen

function isHeld() {
  return hook("modes").querySelector("input:checked")?.getAttribute("value") === "hold";
}

function show() {
  const isOn = gateway.phase === "on";
  talk.enable(isOn && isHeld());
  const look = isOpening ? "connecting" : gateway.phase;
  page.dataset.phase = look;
  page.classList.toggle("is-talking", isOn && (!isHeld() || talk.isOn));
  hook("main-words").textContent = mainWords();
  main.setAttribute("aria-pressed", String(isOn && isHeld() && talk.isOn));
  if (!(isOn && isHeld())) main.removeAttribute("aria-pressed");
  keepBusy(main, isOpening || gateway.phase === "ending");
  showOrHide(end, isOn && isHeld());
  showOrHide(quiet, playback.isPlaying);
  const words = statusWords();
  const status = hook("status");
  if (status.textContent !== words) status.textContent = words;
}

/**
 * @param {HTMLElement} button
 * @param {boolean} isShown
 */
function showOrHide(button, isShown) {
  if (isShown) button.hidden = false;
  else hide(button, main);
}

function mainWords() {
  if (isOpening || gateway.phase === "connecting") return "Connecting";
  if (gateway.phase === "off") return "Start talking";
  if (gateway.phase === "ending") return "Ending";
  if (!isHeld()) return "End the talk";
  return talk.isOn ? "Let go when you are done" : "Hold to talk";
}

function statusWords() {
  if (isOpening) return microphone.isOpen ? "Calling the book." : "Please allow the microphone.";
  if (gateway.phase === "reconnecting") return "The voice service was lost; it is being called again.";
  if (gateway.phase === "ending") return "Waiting for the last words.";
  if (playback.isPlaying) return "The book is speaking.";
  if (gateway.phase === "off") return "Nothing is being recorded.";
  return isHeld() && !talk.isOn ? "Ready. Nothing is heard until you hold the button." : "Listening.";
}

/** @param {string} message empty to take the last one away */
function complain(message) {
  const place = hook("trouble");
  place.textContent = message;
  place.hidden = !message;
}
