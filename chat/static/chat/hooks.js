/** Finding the places that the page's markup keeps for scripts: `data-` attributes. */

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} name of the attribute, without `data-`
 * @returns {T}
 */
export function hook(root, name) {
  const found = root.querySelector(`[data-${name}]`);
  if (!found) throw new Error(`the page has no data-${name}`);
  return /** @type {T} */ (found);
}

/**
 * A copy of what a `<template data-template>` holds.
 * @param {string} name
 * @returns {HTMLElement}
 */
export function copyOf(name) {
  const template = document.querySelector(`template[data-template="${name}"]`);
  const first = /** @type {HTMLTemplateElement} */ (template).content.firstElementChild;
  return /** @type {HTMLElement} */ (first?.cloneNode(true));
}

/**
 * @param {keyof HTMLElementTagNameMap} tag
 * @param {string} text
 * @param {string} [className]
 */
export function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}
