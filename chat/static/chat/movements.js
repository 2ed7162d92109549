/** Who came and went while the page was open, folded into lines. Knows no page. */

import { keyOf } from "./readers.js";

/**
 * @typedef {object} Movement
 * @property {number} id counts up
 * @property {number} afterSeq the newest message when it happened
 * @property {string} userId
 * @property {string} username
 * @property {boolean} [isGuest]
 * @property {boolean} came
 */

/** @typedef {{id: number, afterSeq: number, came: string[], left: string[]}} Line */

/** Older ones are forgotten. */
const MOST = 300;

/** The movements of one sitting. */
export class Movements {
  /** @type {Movement[]} */
  #movements = [];

  #count = 0;

  /** @param {Omit<Movement, "id">} movement */
  add(movement) {
    this.#count += 1;
    this.#movements = [...this.#movements, { ...movement, id: this.#count }].slice(-MOST);
  }

  /**
   * One line for each place between two messages, oldest first. Who came and left again, as
   * everybody does who reloads the page, is not mentioned.
   * @returns {Line[]}
   */
  lines() {
    /** @type {Map<number, Movement[]>} */
    const places = new Map();
    for (const movement of this.#movements) {
      places.set(movement.afterSeq, [...(places.get(movement.afterSeq) ?? []), movement]);
    }
    return [...places.values()].map(folded).filter(({ came, left }) => came.length + left.length);
  }
}

/**
 * @param {Movement[]} movements at one place
 * @returns {Line}
 */
function folded(movements) {
  /** @type {Map<string, Movement[]>} */
  const readers = new Map();
  for (const movement of movements) {
    const key = keyOf(movement);
    readers.set(key, [...(readers.get(key) ?? []), movement]);
  }
  // Coming and going alternate, so an even number of them is back where it began.
  const net = [...readers.values()]
    .filter((own) => own.length % 2 === 1)
    .map((own) => own[own.length - 1]);
  return {
    id: movements[0].id,
    afterSeq: movements[0].afterSeq,
    came: net.filter(({ came }) => came).map(({ username }) => username),
    left: net.filter(({ came }) => !came).map(({ username }) => username),
  };
}
