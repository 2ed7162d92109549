/** Who is in a room now. Knows how to ask, and no page. */

import { NoAnswer, Refusal } from "./asking.js";

import { isSame } from "./readers.js";

/** @typedef {import("./readers.js").Reader} Reader */

/** @typedef {Reader & {members?: number}} Movement Somebody came in or left; readers after it. */

/** The readers in one room. Fires `change`. */
export class Presence extends EventTarget {
  /** @type {readonly Reader[]} by name; in a crowd not all of them */
  readers = [];

  /** How many there are. */
  count = 0;

  #getPresence;
  #isAsking = false;

  /** @param {() => Promise<{count: number, members: Reader[]}>} getPresence */
  constructor(getPresence) {
    super();
    this.#getPresence = getPresence;
  }

  /** Ask who is here. */
  async refresh() {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      const { count, members } = await this.#getPresence();
      this.#become(members, count);
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof NoAnswer)) throw error;
    } finally {
      this.#isAsking = false;
    }
  }

  /**
   * @param {Movement} movement
   * @param {boolean} came
   */
  hear({ userId, username, isGuest, members }, came) {
    const one = { userId, username, isGuest };
    const others = this.readers.filter((reader) => !isSame(reader, one));
    const hidden = this.count - this.readers.length;
    const readers = came ? [...others, one] : others;
    this.#become(readers, readers.length + hidden);
    if (members !== undefined) this.hearCount(members);
  }

  /**
   * The room is known to have so many readers; who they are is asked if it surprises.
   * @param {number} count
   */
  hearCount(count) {
    if (count !== this.count) this.refresh();
  }

  /**
   * @param {readonly Reader[]} readers
   * @param {number} count
   */
  #become(readers, count) {
    this.count = count;
    this.readers = readers.toSorted((a, b) => a.username.localeCompare(b.username));
    this.dispatchEvent(new Event("change"));
  }
}
