/** The places that the markup of a page keeps for scripts: `data-` attributes. */

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} name of the attribute, without `data-`
 * @returns {T}
 */
export function hook(name) {
  const found = document.querySelector(`[data-${name}]`);
  if (!found) throw new Error(`the page has no data-${name}`);
  return /** @type {T} */ (found);
}
