/** One value on its scale, with the range that is good. */

import { scaleLinear } from "d3-scale";
import { symbol, symbolTriangle } from "d3-shape";

import { filling } from "./chart-frame.js";

const HEIGHT_PX = 36;
const TRACK_PX = 10;
const TOP_PX = 12;

/** A band is told from its scale in little room. */
const LEAST_PX = 80;

/**
 * @typedef {object} BandFigures
 * @property {number | null} value
 * @property {number | null} low an open range has no bound
 * @property {number | null} high
 * @property {number} end of the scale, which begins at 0
 */

/**
 * @param {BandFigures} figures
 * @returns {import("./chart-frame.js").Chart}
 */
export function bandChart({ value, low, high, end }) {
  return {
    words: "",
    least: LEAST_PX,
    draw: (svg, width) => {
      const x = scaleLinear([0, end], [1, width - 1]).clamp(true);
      const [from, to] = [x(low ?? 0), x(high ?? end)];
      svg.append("rect").attr("class", "track").attr("x", 1).attr("width", width - 2)
        .attr("y", TOP_PX).attr("height", TRACK_PX).attr("rx", 2);
      svg.append("rect").attr("class", "good-band").attr("fill", filling(svg, "good-hatch"))
        .attr("x", from).attr("width", to - from).attr("y", TOP_PX).attr("height", TRACK_PX).attr("rx", 2);
      svg.append("text").attr("x", (from + to) / 2).attr("y", HEIGHT_PX - 2).attr("text-anchor", "middle").text("good");
      if (value !== null) drawPointer(svg, x(value));
      return HEIGHT_PX;
    },
  };
}

/**
 * @param {any} svg
 * @param {number} x
 */
function drawPointer(svg, x) {
  svg.append("line").attr("class", "stem").attr("x1", x).attr("x2", x).attr("y1", 6).attr("y2", TOP_PX + TRACK_PX);
  svg.append("path").attr("class", "pointer").attr("d", symbol(symbolTriangle, 44)())
    .attr("transform", `translate(${x} 5) rotate(180)`);
}
