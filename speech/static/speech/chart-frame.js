/** An SVG that always has the width of its place, on a screen and on paper. Knows no chart. */

import { create, select } from "d3-selection";

/** @typedef {import("d3-selection").Selection<SVGSVGElement, unknown, null, undefined>} Svg */

/**
 * @typedef {object} Chart
 * @property {string} words what the drawing shows, for those who do not see it
 * @property {(svg: Svg, width: number) => number} draw draws for a width in its own px; gives the height
 * @property {number} [least] the width that it needs, px of its own; `LEAST_PX` if it does not say
 */

/** The width that a chart needs, px of its own. */
const LEAST_PX = 220;

/** The size of text for which charts are drawn, px. */
const TEXT_PX = 16;

/** What fits beside the margins of A4, px. */
const PAPER_PX = 660;

let drawn = 0;

/**
 * Draw, and draw anew whenever the width changes or the size of text. A chart grows with the text
 * around it, as far as there is room.
 * @param {HTMLElement} place
 * @param {Chart} chart
 * @param {number} [paperPx] the width on paper
 */
export function show(place, chart, paperPx = PAPER_PX) {
  let shown = "";
  const draw = (/** @type {number} */ widthPx) => {
    const room = Math.round(widthPx);
    const scale = scaleFor(room, chart.least ?? LEAST_PX);
    if (!room || shown === `${room} ${scale}`) return;
    shown = `${room} ${scale}`;
    const width = Math.floor(room / scale);
    const svg = create("svg").attr("class", "drawn").attr("role", "img").attr("aria-label", chart.words);
    const height = Math.ceil(chart.draw(/** @type {Svg} */ (svg), width));
    svg.attr("width", width * scale).attr("height", height * scale).attr("viewBox", `0 0 ${width} ${height}`);
    place.replaceChildren(/** @type {SVGSVGElement} */ (svg.node()));
  };
  const fit = () => draw(matchMedia("print").matches ? paperPx : place.clientWidth);
  const observer = new ResizeObserver(fit);
  observer.observe(place);
  // Its height changes with the size of text, which has no event of its own.
  observer.observe(document.documentElement);
  // Paper is laid out at once after these, too soon for an observer.
  addEventListener("beforeprint", () => draw(paperPx));
  addEventListener("afterprint", () => draw(place.clientWidth));
  matchMedia("print").addEventListener("change", fit);
  fit();
}

/**
 * How many px of the page are one of a chart: more where text is larger than usual.
 * @param {number} roomPx
 * @param {number} leastPx
 */
function scaleFor(roomPx, leastPx) {
  const wished = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / TEXT_PX;
  return Math.max(1, Math.min(wished, roomPx / leastPx));
}

/**
 * Lines as a filling, which is told from others without colour.
 * @param {any} svg
 * @param {string} kind class of the lines
 * @param {"slanted" | "crossed"} [way]
 * @returns {string} for the attribute `fill`
 */
export function filling(svg, kind, way = "slanted") {
  const id = `filling-${(drawn += 1)}`;
  const pattern = svg.append("defs").append("pattern").attr("id", id)
    .attr("width", 6).attr("height", 6).attr("patternUnits", "userSpaceOnUse");
  pattern.append("path").attr("class", kind)
    .attr("d", way === "slanted" ? "M-1 7 7 -1M-1 1 1 -1M5 7 7 5" : "M0 0 6 6M6 0 0 6");
  return `url(#${id})`;
}

/**
 * @param {HTMLElement} list
 * @param {readonly [string, (svg: any) => void][]} entries words, and what draws a sign of 28 x 16
 */
export function showLegend(list, entries) {
  list.replaceChildren();
  for (const [words, sign] of entries) {
    const item = select(list).append("li");
    const svg = item.append("svg").attr("class", "drawn").attr("viewBox", "0 0 28 16")
      .attr("aria-hidden", "true");
    sign(svg);
    item.append("span").text(words);
  }
}

/** @param {number} share 0 to 1 */
export function percent(share) {
  return `${Math.round(share * 100)}\u00a0%`;
}
