/** How each answer did: match and key terms, a row for each. */

import { axisBottom } from "d3-axis";
import { scaleLinear } from "d3-scale";
import { symbol, symbolCircle, symbolDiamond } from "d3-shape";

import { percent } from "./chart-frame.js";

/**
 * @typedef {object} AnswerFigures
 * @property {number} number
 * @property {number} similarity 0 to 1
 * @property {number} keywordCoverage 0 to 1
 * @property {boolean} silent
 *
 * @typedef {object} GoodFrom
 * @property {number | null} similarity
 * @property {number | null} keywordCoverage
 */

const ROW_PX = 34;
const HEAD_PX = 22;
const AXIS_PX = 30;
const WIDE_PX = 560;

const MATCH = symbol(symbolCircle, 110);
const TERMS = symbol(symbolDiamond, 90);

/**
 * @param {readonly AnswerFigures[]} answers
 * @param {GoodFrom} good
 * @returns {import("./chart-frame.js").Chart}
 */
export function answersChart(answers, good) {
  return {
    words: `Match and key terms of ${answers.length} ${answers.length === 1 ? "answer" : "answers"}; the table below has the figures.`,
    draw: (svg, width) => draw(svg, width, answers, good),
  };
}

/** @type {readonly [string, (svg: any) => void][]} */
export const ANSWERS_LEGEND = [
  ["Match with what was expected", (svg) => mark(svg, MATCH, "first", 14, 8)],
  ["Key terms named", (svg) => mark(svg, TERMS, "second", 14, 8)],
];

/**
 * @param {any} svg
 * @param {number} width
 * @param {readonly AnswerFigures[]} answers
 * @param {GoodFrom} good
 */
function draw(svg, width, answers, good) {
  const left = width >= WIDE_PX ? 84 : 32;
  const x = scaleLinear([0, 1], [left, width - 24]);
  const bottom = HEAD_PX + answers.length * ROW_PX;
  drawThresholds(svg, x, good, bottom);
  answers.forEach((answer, index) => {
    const y = HEAD_PX + (index + 0.5) * ROW_PX;
    svg.append("text").attr("class", "strong").attr("y", y + 4)
      .text(width >= WIDE_PX ? `Answer ${answer.number}` : answer.number);
    if (answer.silent) {
      svg.append("text").attr("x", x(0)).attr("y", y + 4).text("nothing was heard");
      return;
    }
    const [match, terms] = [x(answer.similarity), x(answer.keywordCoverage)];
    svg.append("line").attr("class", "between").attr("x1", match).attr("x2", terms).attr("y1", y).attr("y2", y);
    mark(svg, TERMS, "second", terms, y).append("title").text(`Key terms ${percent(answer.keywordCoverage)}`);
    mark(svg, MATCH, "first", match, y).append("title").text(`Match ${percent(answer.similarity)}`);
  });
  svg.append("g").attr("class", "axis").attr("transform", `translate(0 ${bottom})`)
    .call(axisBottom(x).ticks(width < 400 ? 3 : 5).tickFormat((share) => percent(Number(share))).tickSize(5));
  return bottom + AXIS_PX;
}

/**
 * @param {any} svg
 * @param {(share: number) => number} x
 * @param {GoodFrom} good
 * @param {number} bottom
 */
function drawThresholds(svg, x, { similarity, keywordCoverage }, bottom) {
  for (const [share, words, anchor] of /** @type {[number | null, string, string][]} */ ([
    [keywordCoverage, "terms", "end"], [similarity, "match", "start"],
  ])) {
    if (share === null) continue;
    svg.append("line").attr("class", "threshold").attr("x1", x(share)).attr("x2", x(share))
      .attr("y1", HEAD_PX - 16).attr("y2", bottom);
    svg.append("text").attr("x", x(share) + (anchor === "end" ? -5 : 5)).attr("y", HEAD_PX - 8)
      .attr("text-anchor", anchor).text(words);
  }
}

/**
 * @param {any} svg
 * @param {any} shape
 * @param {string} kind
 * @param {number} x
 * @param {number} y
 */
function mark(svg, shape, kind, x, y) {
  return svg.append("path").attr("class", kind).attr("d", shape()).attr("transform", `translate(${x} ${y})`);
}
