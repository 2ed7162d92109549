/** What was understood, line by line, and where speech was. */

import { hook } from "./hooks.js";

/** The stretch that the timeline shows; ms. */
const SHOWN_MS = 60_000;
const MOST_LINES = 500;

export class Transcript {
  #lines = hook("transcript");
  #interim = hook("interim");
  #empty = hook("empty");

  clear() {
    this.#lines.replaceChildren();
    this.#interim.textContent = "";
    this.#empty.hidden = false;
  }

  /** @param {{text: string, isFinal: boolean, startMs: number, speaker?: string}} heard */
  add(heard) {
    if (!heard.isFinal) {
      this.#interim.textContent = heard.text;
      this.#empty.hidden = true;
      return;
    }
    this.#interim.textContent = "";
    if (!heard.text) return;
    this.#empty.hidden = true;
    const known = this.#lines.querySelector(`li[data-start="${heard.startMs}"]`);
    const line = lineOf(heard);
    if (known) known.replaceWith(line);
    else this.#lines.append(line);
    if (this.#lines.childElementCount > MOST_LINES) this.#lines.firstElementChild?.remove();
    line.scrollIntoView({ block: "nearest" });
  }
}

/** @param {{text: string, startMs: number, speaker?: string}} heard */
function lineOf({ text, startMs, speaker }) {
  const line = document.createElement("li");
  line.dataset.start = String(startMs);
  const time = document.createElement("time");
  time.textContent = clock(startMs);
  const words = document.createElement("span");
  words.textContent = text;
  words.dir = "auto";
  if (speaker) {
    const who = document.createElement("span");
    who.className = "speaker";
    who.textContent = `${speaker.replace("_", " ")}: `;
    words.prepend(who);
  }
  line.append(time, words);
  return line;
}

/** @param {number} ms */
function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Speech and pauses of the last minute. */
export class Timeline {
  #part = hook("timeline-part");
  #strip = hook("timeline");
  /** @type {{from: number, to: number | null}[]} */
  #spoken = [];
  #nowMs = 0;

  clear() {
    this.#spoken = [];
    this.#nowMs = 0;
    this.#part.hidden = true;
    this.#draw();
  }

  /** @param {{speaking: boolean, atMs: number}} activity */
  add({ speaking, atMs }) {
    const last = this.#spoken.at(-1);
    if (speaking) this.#spoken.push({ from: atMs, to: null });
    else if (last && last.to === null) last.to = atMs;
    this.#nowMs = Math.max(this.#nowMs, atMs);
    this.#part.hidden = false;
    this.#draw();
  }

  /** @param {number} ms how long the recording is by now */
  advance(ms) {
    this.#nowMs = Math.max(this.#nowMs, ms);
    if (!this.#part.hidden) this.#draw();
  }

  #draw() {
    const end = Math.max(SHOWN_MS / 4, this.#nowMs);
    const start = Math.max(0, end - SHOWN_MS);
    const shown = this.#spoken.filter(({ to }) => to === null || to > start);
    this.#strip.replaceChildren(
      ...shown.map(({ from, to }) => {
        const bar = document.createElement("i");
        const left = Math.max(from, start);
        bar.style.left = `${(100 * (left - start)) / (end - start)}%`;
        bar.style.width = `${(100 * ((to ?? this.#nowMs) - left)) / (end - start)}%`;
        return bar;
      }),
    );
    const times = this.#spoken.length === 1 ? "once" : `${this.#spoken.length} times`;
    this.#strip.setAttribute("aria-label", this.#spoken.length ? `Speech began ${times}` : "No speech yet");
  }
}
