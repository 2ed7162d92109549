/** The list of who is here, and the count beside the title. */

import { element } from "./hooks.js";
import { isSame } from "./readers.js";
import { presentWords } from "./words.js";

/** @typedef {import("./readers.js").Reader} Reader */

/** More names than this are not listed. */
const MOST_LISTED = 60;

/**
 * @param {ParentNode} page
 * @param {readonly Reader[]} readers by name
 * @param {number} count in a crowd more than `readers`
 * @param {Reader} self
 */
export function showReaders(page, readers, count, self) {
  for (const words of page.querySelectorAll("[data-here-words]")) words.textContent = presentWords(count);
  const listed = readers.slice(0, MOST_LISTED);
  page.querySelector("[data-readers]")?.replaceChildren(...listed.map((reader) => entry(reader, self)));
  const more = /** @type {HTMLElement} */ (page.querySelector("[data-readers-more]"));
  more.hidden = count <= listed.length;
  more.textContent = `and ${count - listed.length} more`;
}

/**
 * @param {Reader} reader
 * @param {Reader} self
 */
function entry(reader, self) {
  const line = document.createElement("li");
  line.append(element("span", reader.username, "reader-name"));
  line.dir = "auto";
  const notes = [isSame(reader, self) && "you", reader.isGuest && "guest"].filter(Boolean);
  if (notes.length) line.append(" ", element("span", notes.join(", "), "reader-note"));
  return line;
}
