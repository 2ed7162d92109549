/**
 * The review queue: j to the next case, k to the one before; and who begins to judge a case has it,
 * so that others see it.
 */

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

/** A case is taken again, which prolongs it, when it was taken this long ago; ms. */
const AGAIN_MS = 60_000;

/** @param {HTMLFormElement} form of one case */
function takeWhenUsed(form) {
  let takenAt = -AGAIN_MS;
  form.addEventListener("focusin", async () => {
    if (performance.now() - takenAt < AGAIN_MS) return;
    takenAt = performance.now();
    const asked = new FormData(form);
    asked.delete("reason");
    asked.set("claim", "take");
    const place = form.querySelector("[data-claim]");
    try {
      const answer = await fetch(location.href, {
        method: "POST", body: asked, headers: { accept: "application/json" },
      });
      const { ok, error } = await answer.json();
      place.textContent = ok ? place.dataset.own : `${error}. Reload the page before you decide.`;
      place.classList.toggle("is-warning", !ok);
      for (const button of form.querySelectorAll("[data-take]")) button.hidden = ok;
      for (const button of form.querySelectorAll("[name=judgement]")) button.disabled = !ok;
    } catch {
      takenAt = -AGAIN_MS; // nobody heard; a decision is refused by the server if need be
    }
  });
}

for (const form of document.querySelectorAll("form[data-judge]")) takeWhenUsed(form);
