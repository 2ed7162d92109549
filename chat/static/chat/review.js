/** Keys of the review queue: j to the next case, k to the one before. */

const cases = [...document.querySelectorAll("[data-case]")];

/** @param {KeyboardEvent} event */
function isTyping(event) {
  return event.target instanceof Element && event.target.closest("input, select, textarea") !== null;
}

document.addEventListener("keydown", (event) => {
  const step = { j: 1, k: -1 }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
  const here = cases.findIndex((each) => each.contains(document.activeElement));
  const next = here < 0 ? 0 : Math.min(Math.max(here + step, 0), cases.length - 1);
  cases[next]?.focus();
  cases[next]?.scrollIntoView({ block: "start" });
});
