/**
 * The one rule of delivery, as arithmetic: apply the next entry, drop an old one, and hold
 * back whatever comes after a gap until the gap is filled. Knows no socket and no clock.
 */

/** @typedef {import("./log.js").Entry} Entry */

/** How many early entries are held back; beyond this the page of history brings them anyway. */
const MOST_HELD = 500;

/** Where one reader stands in the log of one room. */
export class Sequence {
  /** @type {number | null} `seq` of the last entry applied; null before the room was entered */
  cursor = null;

  /** @type {Map<number, Entry>} entries after a gap */
  #held = new Map();

  /** The highest `seq` known to exist. */
  #head = 0;

  /** Whether entries are missing between the cursor and what is known to exist. */
  get isBehind() {
    return this.cursor !== null && this.#head > this.cursor;
  }

  /**
   * An entry arrived.
   * @param {Entry} entry
   * @returns {Entry[]} what is to be applied now, in order; empty for an old or an early entry
   */
  offer(entry) {
    this.notice(entry.seq);
    if (this.cursor !== null && entry.seq <= this.cursor) return [];
    if (this.#held.size < MOST_HELD) this.#held.set(entry.seq, entry);
    return this.#release();
  }

  /**
   * The room's log is known to reach this far.
   * @param {number} seq
   */
  notice(seq) {
    this.#head = Math.max(this.#head, seq);
  }

  /**
   * Everything up to here is known, from a page of history.
   * @param {number} seq
   * @returns {Entry[]} held entries that follow on, in order
   */
  reach(seq) {
    this.cursor = Math.max(this.cursor ?? 0, seq);
    this.notice(seq);
    for (const early of this.#held.keys()) if (early <= this.cursor) this.#held.delete(early);
    return this.#release();
  }

  /**
   * Start again from here: the reader was away for so long that the room is read anew.
   * @param {number} seq
   * @returns {Entry[]} held entries that follow on, in order
   */
  restart(seq) {
    this.cursor = null;
    this.#head = Math.max(0, ...this.#held.keys());
    return this.reach(seq);
  }

  /** @returns {Entry[]} */
  #release() {
    const released = [];
    while (this.cursor !== null) {
      const next = this.#held.get(this.cursor + 1);
      if (!next) break;
      this.#held.delete(next.seq);
      this.cursor = next.seq;
      released.push(next);
    }
    return released;
  }
}
