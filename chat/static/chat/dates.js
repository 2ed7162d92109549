/** Moments in words, in the reader's time zone. */

const DAY = new Intl.DateTimeFormat("en-GB", {
  weekday: "long", day: "numeric", month: "long", year: "numeric",
});
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const MOMENT = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "long", hour: "2-digit", minute: "2-digit",
});

/** @param {Date} moment @returns {string} such as `Saturday 21 November 2026` */
export const dayWords = (moment) => DAY.format(moment).replace(",", "");

/** @param {Date} moment @returns {string} such as `09:30` */
export const timeWords = (moment) => TIME.format(moment);

/** @param {Date} moment @returns {string} such as `21 November at 09:30` */
export const momentWords = (moment) => MOMENT.format(moment);

/** @param {Date} moment @returns {string} the local day as `2026-11-21` */
export function dayKey(moment) {
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}
