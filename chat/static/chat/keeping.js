/** The browser's storage, where a browser without one (or a full one) is no reason to fail. */

/** @type {import("./outbox.js").Keeping} */
export const keeping = {
  getItem: (key) => attempt(() => localStorage.getItem(key)),
  setItem: (key, value) => attempt(() => localStorage.setItem(key, value)),
  removeItem: (key) => attempt(() => localStorage.removeItem(key)),
};

/**
 * @template T
 * @param {() => T} act
 * @returns {T | null}
 */
function attempt(act) {
  try {
    return act();
  } catch (error) {
    if (error instanceof DOMException) return null; // forbidden, or over quota
    throw error;
  }
}
