/** An SVG that always has the width of its place, on a screen and on paper. Knows no chart. */

import { create, select } from "d3-selection";

/** @typedef {import("d3-selection").Selection<SVGSVGElement, unknown, null, undefined>} Svg */

/**
 * @typedef {object} Chart
 * @property {string} words what the drawing shows, for those who do not see it
 * @property {(svg: Svg, width: number) => number} draw draws for a width in px; gives the height
 */

/** What fits beside the margins of A4, px. */
const PAPER_PX = 660;

let drawn = 0;

/**
 * Draw, and draw anew whenever the width changes.
 * @param {HTMLElement} place
 * @param {Chart} chart
 * @param {number} [paperPx] the width on paper
 */
export function show(place, chart, paperPx = PAPER_PX) {
  let shownPx = 0;
  const draw = (/** @type {number} */ widthPx) => {
    const width = Math.round(widthPx);
    if (!width || width === shownPx) return;
    shownPx = width;
    const svg = create("svg").attr("class", "drawn").attr("role", "img").attr("aria-label", chart.words);
    const height = Math.ceil(chart.draw(/** @type {Svg} */ (svg), width));
    svg.attr("width", width).attr("height", height).attr("viewBox", `0 0 ${width} ${height}`);
    place.replaceChildren(/** @type {SVGSVGElement} */ (svg.node()));
  };
  const fit = () => draw(matchMedia("print").matches ? paperPx : place.clientWidth);
  new ResizeObserver(fit).observe(place);
  // Paper is laid out at once after these, too soon for an observer.
  addEventListener("beforeprint", () => draw(paperPx));
  addEventListener("afterprint", () => draw(place.clientWidth));
  matchMedia("print").addEventListener("change", fit);
  fit();
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
    const svg = item.append("svg").attr("class", "drawn").attr("width", 28).attr("height", 16)
      .attr("aria-hidden", "true");
    sign(svg);
    item.append("span").text(words);
  }
}

/** @param {number} share 0 to 1 */
export function percent(share) {
  return `${Math.round(share * 100)}\u00a0%`;
}
