/** Finds web addresses in what a reader wrote. The page makes nodes of them, never markup. */

/** @typedef {{text: string, href: string | null}} Segment */

const ADDRESS = /https?:\/\/[^\s<>"“”]+/giu;

/** Marks that end a sentence rather than an address. */
const TRAILING = /[.,;:!?'’»]+$/u;

/**
 * Cut a text into plain stretches and links; joined, the segments are the text again.
 * @param {string} text
 * @returns {Segment[]}
 */
export function segments(text) {
  /** @type {Segment[]} */
  const found = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutTail(match[0]);
    if (!URL.canParse(address)) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index), href: null });
    found.push({ text: address, href: new URL(address).href });
    end = match.index + address.length;
  }
  if (end < text.length) found.push({ text: text.slice(end), href: null });
  return found;
}

/**
 * An address as it was meant: without the full stop or the bracket that closes around it.
 * @param {string} match
 * @returns {string}
 */
function withoutTail(match) {
  const address = match.replace(TRAILING, "");
  const opened = address.split("(").length;
  const closed = address.split(")").length;
  return address.endsWith(")") && closed > opened ? withoutTail(address.slice(0, -1)) : address;
}
