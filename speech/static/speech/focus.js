/** The focus of a reader who uses the keyboard stays where something can be done. */

/**
 * Hide an element; the focus that is in it goes on to another one.
 * @param {HTMLElement} element
 * @param {HTMLElement} next must be visible
 */
export function hide(element, next) {
  const hadFocus = element.contains(document.activeElement);
  element.hidden = true;
  if (hadFocus) next.focus();
}

/**
 * Have a button do nothing for a while. Not `disabled`, which would take the focus away from under
 * a reader's hands.
 * @param {HTMLElement} button
 * @param {boolean} isBusy
 */
export function keepBusy(button, isBusy) {
  button.setAttribute("aria-disabled", String(isBusy));
}

/** @param {HTMLElement} button */
export function isBusy(button) {
  return button.getAttribute("aria-disabled") === "true";
}
