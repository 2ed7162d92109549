/** What the live page shows; decides nothing. */

import { hide, keepBusy } from "./focus.js";

const BARS = [0.35, 0.6, 0.8, 0.95, 1, 0.9, 0.75, 0.55, 0.3];

/** Amplitude of a loud voice near a microphone. */
const LOUD = 0.25;

/** After so long it is said why an answer is still being looked at, ms. */
const LONG_LOOK_MS = 12_000;

/** Silence is mentioned when this much of it is left, s. */
const WARNING_S = 8;

/** What is to be seen of the page in each phase, and what the one big control does. */
const PHASES = {
  ready: { button: "Begin", shows: ["preparation", "controls"], words: "" },
  starting: { button: "One moment", isBusy: true, shows: ["controls"], words: "" },
  question: { button: "Answer now", shows: ["asked", "stage", "controls", "again", "finish", "timers"], words: "Listen to the question, or read it." },
  opening: { button: "One moment", isBusy: true, shows: ["asked", "stage", "controls", "finish", "timers"], words: "" },
  turn: { button: "I’m done", shows: ["asked", "stage", "controls", "finish", "timers", "heard"], words: "Your turn. Speak." },
  processing: { button: "One moment", isBusy: true, shows: ["asked", "stage", "controls", "finish", "timers", "heard"], words: "Your answer is being looked at." },
  finishing: { button: "One moment", isBusy: true, shows: ["asked", "stage", "controls", "heard"], words: "Your result is being worked out." },
  over: { button: "To your interviews", shows: ["controls"], words: "" },
};

const PARTS = ["preparation", "asked", "stage", "controls", "again", "finish", "timers", "heard"];

/** @param {number} seconds */
export const clock = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/**
 * @param {string} phase
 * @param {string} words
 * @param {{inWriting: boolean, isAloud: boolean}} way
 */
function stageWords(phase, words, { inWriting, isAloud }) {
  if (phase === "turn" && inWriting) return "Your turn. Write.";
  if (phase === "question" && !isAloud) return "Read the question, and answer when you are ready.";
  return words;
}

export class View {
  #page;
  #parts;
  #spokeAtMs = 0;
  #shownAtMs = 0;

  /** @param {HTMLElement} page */
  constructor(page) {
    this.#page = page;
    this.#parts = new Map();
  }

  /**
   * @template {HTMLElement} [T=HTMLElement]
   * @param {string} name of a `data-` attribute
   * @returns {T}
   */
  part(name) {
    const found = this.#parts.get(name) ?? this.#page.querySelector(`[data-${name}]`);
    if (!found) throw new Error(`the page has no data-${name}`);
    this.#parts.set(name, found);
    return found;
  }

  /**
   * @param {import("./interview-client.js").Phase} phase
   * @param {object} way
   * @param {boolean} way.inWriting answers are written
   * @param {boolean} way.isAloud questions are read aloud
   */
  show(phase, { inWriting, isAloud }) {
    const { button, shows, words, isBusy = false } = /** @type {{button: string, shows: string[], words: string, isBusy?: boolean}} */ (PHASES[phase]);
    const main = this.part("main");
    this.#page.dataset.phase = phase;
    this.#shownAtMs = performance.now();
    const isMeaningless = { heard: inWriting, again: !isAloud };
    for (const name of PARTS) {
      const isKept = !isMeaningless[/** @type {keyof typeof isMeaningless} */ (name)];
      if (isKept && shows.includes(name)) this.part(name).hidden = false;
      else hide(this.part(name), main);
    }
    main.textContent = button;
    keepBusy(main, isBusy);
    this.part("stage-words").textContent = stageWords(phase, words, { inWriting, isAloud });
    this.part("meter").hidden = inWriting || phase !== "turn";
    this.part("silence").hidden = true;
    if (phase !== "turn") this.showLevel(0);
  }

  /**
   * @param {{question: string, number: number, topic: string, difficulty: string, curveball: boolean}} asked
   * @param {number} count
   */
  ask({ question, number, difficulty, curveball }, count) {
    this.part("number").textContent = `${number} of ${count}`;
    this.part("asked-title").textContent = `Question ${number}`;
    this.part("asked-about").textContent = difficulty;
    this.part("challenge").hidden = !curveball;
    this.part("question").textContent = question;
    this.part("transcript").textContent = "";
    this.part("turn-time").textContent = clock(0);
  }

  /**
   * @param {{time_remaining: number, turn_time_elapsed: number, silence_elapsed: number}} timer
   * @param {number} limitS how much silence ends an answer
   * @returns {string} what is worth saying aloud, or nothing
   */
  time({ time_remaining: left, turn_time_elapsed: turn, silence_elapsed: silence }, limitS) {
    this.part("remaining").textContent = clock(left);
    this.part("turn-time").textContent = clock(turn);
    const hasWaited = performance.now() - this.#shownAtMs > LONG_LOOK_MS;
    if (this.#page.dataset.phase === "processing" && hasWaited) {
      this.part("stage-words").textContent = "Your answer is kept. It is heard as soon as it is its turn.";
    }
    const isClose = this.#page.dataset.phase === "turn" && limitS - silence <= WARNING_S;
    const place = this.part("silence");
    const wasClose = !place.hidden;
    place.hidden = !isClose;
    if (isClose) {
      const remaining = Math.max(0, Math.ceil(limitS - silence));
      /** @type {HTMLProgressElement} */ (this.part("silence-bar")).value = silence;
      this.part("silence-words").textContent = `Silence ends this answer in ${remaining} s`;
      if (!wasClose) return `${remaining} seconds of silence are left`;
    }
    if (left === 300) return "Five minutes are left";
    return left === 60 ? "One minute is left" : "";
  }

  /** @param {string} text */
  transcribe(text) {
    this.part("transcript").textContent = text;
  }

  /** @param {{question: string, answer: string}} given */
  keepAnswer({ question, answer }) {
    this.part("answered").hidden = false;
    const item = document.createElement("li");
    for (const words of [question, answer]) {
      const line = document.createElement("p");
      line.textContent = words;
      item.append(line);
    }
    this.part("answered-list").append(item);
  }

  /** @param {number} rms amplitude, 0 to 1 */
  showLevel(rms) {
    const now = performance.now();
    // As often as a screen of 20 Hz: more is not seen and costs battery.
    if (rms && now - this.#spokeAtMs < 50) return;
    this.#spokeAtMs = now;
    const level = Math.min(1, Math.sqrt(rms / LOUD));
    [...this.part("meter").children].forEach((bar, index) => {
      /** @type {HTMLElement} */ (bar).style.setProperty("--bar", (level * BARS[index]).toFixed(2));
    });
  }

  /**
   * @param {string} words
   * @param {string} [action] what a button beside it does
   */
  complain(words, action = "") {
    this.part("problem").hidden = false;
    this.part("problem-words").textContent = words;
    const button = this.part("problem-action");
    button.textContent = action;
    button.hidden = !action;
  }

  settle() {
    this.part("problem").hidden = true;
    this.part("problem-words").textContent = "";
  }

  /** @param {boolean} isThere */
  showLine(isThere) {
    this.part("bar").textContent = isThere ? "" :
      "The connection was lost. The interview waits a minute for you, and goes on by itself when you are back.";
  }

  /** @param {string} words said once, politely, to those who do not see the page */
  announce(words) {
    const place = this.part("announcer");
    place.textContent = place.textContent === words ? `${words}\u00a0` : words;
  }
}
