/** The live page: puts microphone, voice, captions and the interview together. */

import { io } from "socket.io-client";

import { isBusy } from "./focus.js";
import { Captions } from "./interview-captions.js";
import { InterviewClient } from "./interview-client.js";
import { Reading } from "./interview-reading.js";
import { clock, View } from "./interview-view.js";
import { Writing } from "./interview-writing.js";
import { Microphone, MicrophoneRefused } from "./microphone.js";

/**
 * @typedef {object} Config What the server tells the page.
 * @property {number | null} userId null for a guest
 * @property {string | null} topic
 * @property {number} questions
 * @property {boolean} stress
 * @property {boolean} inWriting
 * @property {number} silence seconds that end an answer
 * @property {string} results where the results of an account are
 * @property {string | null} voice where questions are as sound; null without a voice of the server
 */

/** @typedef {{question: string, number: number, topic: string, difficulty: string, curveball: boolean}} Asked */

const RUNNING_KEY = "readrealm.interview.running";
const GUEST_KEY = "readrealm.interview.guest";

/** Guests call themselves by numbers far above those of accounts. */
const FIRST_GUEST = 2 ** 52;

const page = /** @type {HTMLElement} */ (document.querySelector("[data-interview]"));
/** @type {Config} */
const config = JSON.parse(document.getElementById("interview-config")?.textContent ?? "");
const view = new View(page);
const captions = new Captions();
const client = new InterviewClient({
  socket: io({ transports: ["websocket", "polling"], autoConnect: false }),
  userId: config.userId ?? guestId(),
  choice: { topic: config.topic, questions: config.questions, stress: config.stress },
});
const microphone = new Microphone({ workletUrl: page.dataset.worklet ?? "", rateHz: 16_000, blockMs: 250 });
const writing = new Writing(
  view.part("writing"), view.part("written-answer"), view.part("main"),
  (text, isFinal) => client.write(text, isFinal),
);

const reading = new Reading(view.part("reading"), view.part("reading-note"), config.voice === null ? null : soundOfQuestion);
const withCaptions = /** @type {HTMLInputElement} */ (view.part("captions"));
/** @type {Asked} */
let asked = { question: "", number: 0, topic: "", difficulty: "", curveball: false };
let retry = () => {};
/** @type {(id: string) => void} */
let learnSession;
/** @type {Promise<string>} The interview's id, which is told just after its first question. */
const session = new Promise((resolve) => { learnSession = resolve; });

prepare();
listenToReader();
listenToInterview();

async function prepare() {
  show("ready");
  if (wasRunning()) {
    view.part("preparation-title").textContent = "Your interview is waiting";
    view.part("preparation-words").textContent = "The page was left while an interview ran. It is kept for a minute; go on where you were.";
  }
  view.part("captions-line").hidden = config.inWriting || !Captions.areThere;
  await reading.find();
}

function listenToReader() {
  const main = view.part("main");
  main.addEventListener("click", () => {
    if (!isBusy(main)) press();
  });
  view.part("again").addEventListener("click", () => reading.read(asked.question));
  view.part("problem-action").addEventListener("click", () => { view.settle(); retry(); });
  const dialog = /** @type {HTMLDialogElement} */ (view.part("finish-dialog"));
  view.part("finish").addEventListener("click", () => { dialog.returnValue = ""; dialog.showModal(); });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "finish") finish();
    else if (dialog.returnValue === "leave") leave();
  });
  microphone.addEventListener("block", (event) => client.hear(/** @type {CustomEvent} */ (event).detail.pcm));
  microphone.addEventListener("level", (event) => {
    if (client.phase === "turn") view.showLevel(/** @type {CustomEvent} */ (event).detail.rms);
  });
  microphone.addEventListener("lost", async () => {
    await microphone.close();
    complain("The microphone has gone. Plug it in or allow it again.", "Try again", openMicrophone);
  });
  captions.addEventListener("phrase", (event) => {
    const { text, isFinal } = /** @type {CustomEvent} */ (event).detail;
    client.write(text, isFinal);
  });
  captions.addEventListener("failed", () => {
    withCaptions.checked = false;
    complain("This browser cannot write down what you say. This site listens instead.");
  });
}

function listenToInterview() {
  on("phase", follow);
  on("started", ({ session_id }) => learnSession(session_id));
  on("question", hearQuestion);
  on("transcript", ({ text }) => view.transcribe(text));
  on("timer", (timer) => {
    const words = view.time(timer, config.silence);
    if (words) view.announce(words);
  });
  on("answer", (answer) => {
    view.transcribe(answer.answer);
    view.keepAnswer(answer);
  });
  on("line", (isThere) => view.showLine(isThere));
  on("result", showResult);
  on("problem", ({ code, words }) => {
    if (code === "INTERVIEW_IN_PROGRESS") complain(words, "Go on here", takeOver);
    else complain(words);
  });
}

/** What the one big control does now. */
function press() {
  if (client.phase === "ready") begin();
  else if (client.phase === "question") answerNow();
  else if (client.phase === "turn") finishAnswer();
  else if (client.phase === "over") location.assign(config.results);
}

async function begin() {
  view.settle();
  if (!(await openMicrophone())) return;
  if (wasRunning()) client.resume();
  else client.begin();
}

async function takeOver() {
  if (await openMicrophone()) client.resume();
}

/** @returns {Promise<boolean>} whether the reader can be heard, or need not be */
async function openMicrophone() {
  if (config.inWriting) return true;
  try {
    await microphone.open();
    return true;
  } catch (error) {
    if (!(error instanceof MicrophoneRefused)) throw error;
    complain(error.message, "Answer in writing", goOnInWriting);
    return false;
  }
}

function goOnInWriting() {
  config.inWriting = true;
  view.part("preparation-words").textContent = "You write your answers, so no microphone is needed.";
  view.part("captions-line").hidden = true;
  show(client.phase);
  if (client.phase === "turn") writing.open();
  view.part("main").focus();
}

async function soundOfQuestion() {
  return `${config.voice}${encodeURIComponent(await session)}/${asked.number}.wav`;
}

/** @param {Asked} told */
function hearQuestion(told) {
  asked = told;
  sessionStorage.setItem(RUNNING_KEY, "yes");
  view.ask(asked, config.questions);
}

async function readQuestion() {
  const { number, question } = asked;
  view.announce(`Question ${number}. ${reading.isOn ? "" : question}`);
  if (reading.isOn && (await reading.read(question)) && asked.number === number) client.ready();
}

function answerNow() {
  reading.stop();
  client.ready();
}

async function finishAnswer() {
  if (config.inWriting) writing.finish();
  else await microphone.flush();
  client.done();
}

async function finish() {
  reading.stop();
  if (client.phase === "turn") {
    if (config.inWriting) writing.finish();
    else await microphone.flush();
  }
  client.finish();
}

async function leave() {
  reading.stop();
  sessionStorage.removeItem(RUNNING_KEY);
  await client.leave();
  location.assign(config.results);
}

/** @param {import("./interview-client.js").Phase} phase */
function show(phase) {
  view.show(phase, { inWriting: config.inWriting, isAloud: reading.isOn });
  if (phase === "ready" && wasRunning()) view.part("main").textContent = "Go on";
}

/** @param {import("./interview-client.js").Phase} phase */
function follow(phase) {
  show(phase);
  if (phase === "turn") {
    reading.stop();
    view.settle();
    view.announce(config.inWriting ? "Your turn. Write your answer." : "Your turn. Speak.");
    if (config.inWriting) writing.open();
    else if (withCaptions.checked) captions.start();
    return;
  }
  captions.stop();
  writing.close();
  if (phase === "question") readQuestion();
  if (phase === "processing") view.announce("Your answer is being looked at.");
  if (phase === "ready") microphone.close();
  if (phase === "over") end();
}

function end() {
  reading.stop();
  microphone.close();
  sessionStorage.removeItem(RUNNING_KEY);
}

/** @param {any} result the event `interview_complete` */
function showResult(result) {
  view.announce(`The interview is over after ${clock(result.total_duration)}. Here is your result.`);
  if (config.userId !== null) {
    location.assign(`${config.results}${encodeURIComponent(result.session_id)}/`);
    return;
  }
  const form = /** @type {HTMLFormElement} */ (view.part("guest-result"));
  /** @type {HTMLInputElement} */ (form.elements.namedItem("result")).value = JSON.stringify(result);
  form.submit();
}

/**
 * @param {string} words
 * @param {string} [action]
 * @param {() => unknown} [act]
 */
function complain(words, action = "", act = () => {}) {
  retry = act;
  view.complain(words, action);
}

/**
 * @param {string} name
 * @param {(detail: any) => void} hear
 */
function on(name, hear) {
  client.addEventListener(name, (event) => hear(/** @type {CustomEvent} */ (event).detail));
}

function wasRunning() {
  return sessionStorage.getItem(RUNNING_KEY) !== null;
}

/** The same number for as long as this browser remembers it. */
function guestId() {
  const known = Number(localStorage.getItem(GUEST_KEY));
  if (Number.isSafeInteger(known) && known >= FIRST_GUEST) return known;
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  const id = FIRST_GUEST + (high % 2 ** 20) * 2 ** 32 + low;
  localStorage.setItem(GUEST_KEY, String(id));
  return id;
}
