/** Draws the charts of a page from the figures that came with it; the tables stay below them. */

import { ANSWERS_LEGEND, answersChart } from "./answers-chart.js";
import { bandChart } from "./band-chart.js";
import { show, showLegend } from "./chart-frame.js";
import { progressChart } from "./progress-chart.js";
import { TIMELINE_LEGEND, timelineChart } from "./timeline-chart.js";

const figures = JSON.parse(document.getElementById("interview-drawing")?.textContent ?? "{}");

/** Beside three others on paper, px. */
const CARD_ON_PAPER_PX = 140;

/** @type {Record<string, () => [import("./chart-frame.js").Chart, readonly [string, (svg: any) => void][]]>} */
const CHARTS = {
  timeline: () => [timelineChart(figures.turns), TIMELINE_LEGEND],
  answers: () => [answersChart(figures.answers, figures.good), ANSWERS_LEGEND],
  progress: () => [progressChart(figures.progress), []],
};

for (const figure of document.querySelectorAll("figure[data-chart]")) {
  const [chart, legend] = CHARTS[/** @type {HTMLElement} */ (figure).dataset.chart ?? ""]();
  const list = figure.querySelector("[data-legend]");
  if (list) showLegend(/** @type {HTMLElement} */ (list), legend);
  show(/** @type {HTMLElement} */ (figure.querySelector("[data-chart-place]")), chart);
}

for (const place of document.querySelectorAll('[data-chart="band"]')) {
  const { value, low, high, end } = /** @type {HTMLElement} */ (place).dataset;
  const chart = bandChart({ value: number(value), low: number(low), high: number(high), end: Number(end) });
  show(/** @type {HTMLElement} */ (place), chart, CARD_ON_PAPER_PX);
}

// Beside its drawing a table takes a press; on paper and without scripts it is open.
const tables = /** @type {HTMLDetailsElement[]} */ ([...document.querySelectorAll("[data-figures]")]);
const wasOpen = new Map();
for (const table of tables) table.open = false;
addEventListener("beforeprint", () => {
  for (const table of tables) {
    if (!wasOpen.has(table)) wasOpen.set(table, table.open);
    table.open = true;
  }
});
addEventListener("afterprint", () => {
  for (const [table, was] of wasOpen) table.open = was;
  wasOpen.clear();
});

const print = /** @type {HTMLElement | null} */ (document.querySelector("[data-print]"));
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

/**
 * @param {string | undefined} text
 * @returns {number | null}
 */
function number(text) {
  return text ? Number(text) : null;
}
