/** Who a reader is. */

/**
 * @typedef {object} Reader
 * @property {string} userId
 * @property {string} username
 * @property {boolean} [isGuest] has no account
 */

/**
 * What tells readers apart: a guest may bear the id of an account without being it.
 * @param {{userId: string, isGuest?: boolean}} reader
 * @returns {string}
 */
export function keyOf({ userId, isGuest = false }) {
  return `${isGuest ? "guest" : "account"} ${userId}`;
}

/**
 * @param {{userId: string, isGuest?: boolean}} reader
 * @param {{userId: string, isGuest?: boolean} | null} other
 * @returns {boolean}
 */
export function isSame(reader, other) {
  return other !== null && keyOf(reader) === keyOf(other);
}
