/** Speech and pauses of each answer, a row for each. */

import { axisBottom } from "d3-axis";
import { scaleLinear } from "d3-scale";

import { filling } from "./chart-frame.js";

/**
 * @typedef {object} TurnFigures
 * @property {number} number
 * @property {number} lasted seconds
 * @property {string} ended
 * @property {[string, number, number][]} parts kind, start and end in seconds of the turn
 */

const ROW_PX = 40;
const BAR_PX = 18;
const AXIS_PX = 30;
const WIDE_PX = 560;

/** Steps of the axis, seconds. */
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600];

const WORDS = {
  wait: "before the first word",
  speech: "speech",
  pause: "pause",
  long_pause: "long pause",
  silence: "silence to the end",
};

/** @param {number} seconds */
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, "0")}`;

/**
 * @param {readonly TurnFigures[]} turns
 * @returns {import("./chart-frame.js").Chart}
 */
export function timelineChart(turns) {
  return {
    words: `Speech and pauses in ${turns.length} ${turns.length === 1 ? "answer" : "answers"}; the table below has the figures.`,
    draw: (svg, width) => draw(svg, width, turns),
  };
}

/** @type {readonly [string, (svg: any) => void][]} */
export const TIMELINE_LEGEND = [
  ["Speech", (svg) => bar(svg, "speech", 1, 26)],
  ["Pause", (svg) => bar(svg, "pause", 1, 26).attr("fill", filling(svg, "hatch"))],
  ["Long pause", (svg) => bar(svg, "pause long", 1, 26).attr("fill", filling(svg, "cross", "crossed"))],
  ["Before the first word", (svg) => line(svg, "wait", 2, 26)],
  ["Silence to the end", (svg) => line(svg, "quiet", 1, 27)],
];

/**
 * @param {any} svg
 * @param {number} width
 * @param {readonly TurnFigures[]} turns
 */
function draw(svg, width, turns) {
  const left = width >= WIDE_PX ? 76 : 26;
  const longest = Math.max(1, ...turns.map((turn) => turn.lasted));
  const x = scaleLinear([0, longest], [left, width - 16]);
  const fills = { pause: filling(svg, "hatch"), long_pause: filling(svg, "cross", "crossed") };
  turns.forEach((turn, index) => {
    const row = svg.append("g").attr("transform", `translate(0 ${index * ROW_PX})`);
    row.append("text").attr("class", "strong").attr("y", ROW_PX / 2 + 4)
      .text(width >= WIDE_PX ? `Answer ${turn.number}` : turn.number);
    for (const part of turn.parts) drawPart(row, part, x, fills);
    row.append("line").attr("class", "end").attr("x1", x(turn.lasted)).attr("x2", x(turn.lasted))
      .attr("y1", ROW_PX / 2 - BAR_PX / 2 - 3).attr("y2", ROW_PX / 2 + BAR_PX / 2 + 3);
  });
  const bottom = turns.length * ROW_PX;
  const step = STEPS_S.find((seconds) => longest / seconds <= width / 80) ?? 600;
  const ticks = Array.from({ length: Math.floor(longest / step) + 1 }, (_, tick) => tick * step);
  svg.append("g").attr("class", "axis").attr("transform", `translate(0 ${bottom})`)
    .call(axisBottom(x).tickValues(ticks).tickFormat((seconds) => clock(Number(seconds))).tickSize(5));
  return bottom + AXIS_PX;
}

/**
 * @param {any} row
 * @param {[string, number, number]} part
 * @param {(seconds: number) => number} x
 * @param {Record<string, string>} fills
 */
function drawPart(row, [kind, start, end], x, fills) {
  const group = row.append("g");
  group.append("title").text(`${WORDS[/** @type {keyof WORDS} */ (kind)]}, ${(end - start).toFixed(1)} s, from ${clock(start)}`);
  const [from, to] = [x(start), x(end)];
  const middle = ROW_PX / 2;
  if (kind === "wait" || kind === "silence") {
    line(group, kind === "wait" ? "wait" : "quiet", from, to, middle);
    return;
  }
  const box = bar(group, kind === "speech" ? "speech" : kind === "pause" ? "pause" : "pause long", from, to, middle);
  if (kind !== "speech") box.attr("fill", fills[kind]);
  if (kind === "long_pause") {
    group.append("text").attr("x", (from + to) / 2).attr("y", middle - BAR_PX / 2 - 3)
      .attr("text-anchor", "middle").text(`${(end - start).toFixed(1)} s`);
  }
}

/**
 * @param {any} place
 * @param {string} kind
 * @param {number} from
 * @param {number} to
 * @param {number} [middle]
 */
function bar(place, kind, from, to, middle = 8) {
  const height = middle === 8 ? 14 : BAR_PX;
  return place.append("rect").attr("class", kind).attr("x", from).attr("width", Math.max(1, to - from))
    .attr("y", middle - height / 2).attr("height", height);
}

/**
 * @param {any} place
 * @param {string} kind
 * @param {number} from
 * @param {number} to
 * @param {number} [y]
 */
function line(place, kind, from, to, y = 8) {
  return place.append("line").attr("class", kind).attr("x1", from).attr("x2", to).attr("y1", y).attr("y2", y);
}
