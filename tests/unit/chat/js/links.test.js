/** Which stretches of a text are links. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { segments } from "../../../../chat/static/chat/links.js";

const links = (/** @type {string} */ text) =>
  segments(text).filter(({ href }) => href !== null).map((segment) => segment.text);

/** Text and the links in it; the page without scripts is held to the same. */
const CASES = JSON.parse(readFileSync(new URL("../links.json", import.meta.url), "utf8"));

test("addresses are found as they were meant", () => {
  for (const [text, expected] of CASES) assert.deepEqual(links(text), expected, text);
});

test("nothing of the text is lost or added", () => {
  for (const [text] of [...CASES, ["a https://…"], [""]]) {
    assert.equal(segments(text).map((segment) => segment.text).join(""), text);
  }
});

test("only web addresses become links", () => {
  for (const [text] of CASES) {
    for (const { href } of segments(text)) {
      if (href !== null) assert.match(href, /^https?:\/\//u);
    }
  }
});
