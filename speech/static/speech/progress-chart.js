/** How interviews went, one after the other. */

import { axisBottom, axisLeft } from "d3-axis";
import { scaleLinear, scalePoint } from "d3-scale";
import { line, symbol, symbolCircle, symbolSquare, symbolTriangle } from "d3-shape";

import { percent } from "./chart-frame.js";

/**
 * @typedef {object} ProgressFigures
 * @property {number} number
 * @property {string} at ISO 8601
 * @property {number} similarity 0 to 1
 * @property {number} keywordCoverage 0 to 1
 * @property {number | null} fluency 0 to 1; null where too little was heard
 */

const HEIGHT_PX = 240;
const MARGIN = { top: 14, right: 90, bottom: 30, left: 46 };
const LABEL_PX = 16;

/** @type {readonly {key: "similarity" | "keywordCoverage" | "fluency", kind: string, words: string, shape: any}[]} */
const SERIES = [
  { key: "similarity", kind: "first", words: "Match", shape: symbolCircle },
  { key: "keywordCoverage", kind: "second", words: "Key terms", shape: symbolSquare },
  { key: "fluency", kind: "third", words: "Fluency", shape: symbolTriangle },
];

const DAY = new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month: "short" });

/**
 * @param {readonly ProgressFigures[]} points at least two
 * @returns {import("./chart-frame.js").Chart}
 */
export function progressChart(points) {
  return {
    words: `Match, key terms and fluency over ${points.length} interviews; the table below has the figures.`,
    draw: (svg, width) => draw(svg, width, points),
  };
}

/**
 * @param {any} svg
 * @param {number} width
 * @param {readonly ProgressFigures[]} points
 */
function draw(svg, width, points) {
  const numbers = points.map((point) => point.number);
  const x = scalePoint(numbers, [MARGIN.left + 8, width - MARGIN.right]);
  const y = scaleLinear([0, 1], [HEIGHT_PX - MARGIN.bottom, MARGIN.top]);
  const every = Math.ceil(points.length / Math.max(2, Math.floor((width - 120) / 64)));
  svg.append("g").attr("class", "axis").attr("transform", `translate(0 ${HEIGHT_PX - MARGIN.bottom + 6})`)
    .call(axisBottom(x).tickValues(numbers.filter((_, index) => (points.length - 1 - index) % every === 0))
      .tickFormat((number) => DAY.format(new Date(points[number - 1].at))).tickSize(4));
  svg.append("g").attr("class", "axis").attr("transform", `translate(${MARGIN.left - 4} 0)`)
    .call(axisLeft(y).ticks(4).tickFormat((share) => percent(Number(share))).tickSize(-(width - MARGIN.left - MARGIN.right + 8)))
    .call((/** @type {any} */ axis) => axis.select(".domain").remove());
  const ends = SERIES.flatMap((series) => drawSeries(svg, series, points, x, y));
  drawLabels(svg, ends, width - MARGIN.right + 12);
  return HEIGHT_PX;
}

/**
 * @param {any} svg
 * @param {typeof SERIES[number]} series
 * @param {readonly ProgressFigures[]} points
 * @param {any} x
 * @param {any} y
 * @returns {{y: number, words: string}[]} where its name belongs, unless it has no point
 */
function drawSeries(svg, { key, kind, words, shape }, points, x, y) {
  const known = points.filter((point) => point[key] !== null);
  const path = line((/** @type {ProgressFigures} */ point) => x(point.number), (/** @type {ProgressFigures} */ point) => y(point[key]));
  svg.append("path").attr("class", `line ${kind}`).attr("d", path(known));
  for (const point of known) {
    svg.append("path").attr("class", kind).attr("d", symbol(shape, 56)())
      .attr("transform", `translate(${x(point.number)} ${y(point[key])})`)
      .append("title").text(`${words} ${percent(/** @type {number} */ (point[key]))}, ${DAY.format(new Date(point.at))}`);
  }
  const last = known.at(-1);
  return last ? [{ y: y(last[key]), words }] : [];
}

/**
 * Names at the ends of the lines, moved apart where they would cover each other.
 * @param {any} svg
 * @param {{y: number, words: string}[]} ends
 * @param {number} x
 */
function drawLabels(svg, ends, x) {
  const placed = [...ends].sort((one, other) => one.y - other.y);
  placed.forEach((end, index) => {
    if (index) end.y = Math.max(end.y, placed[index - 1].y + LABEL_PX);
  });
  const over = Math.max(0, (placed.at(-1)?.y ?? 0) - (HEIGHT_PX - MARGIN.bottom));
  for (const { y, words } of placed) {
    svg.append("text").attr("class", "strong").attr("x", x).attr("y", y - over + 4).text(words);
  }
}
