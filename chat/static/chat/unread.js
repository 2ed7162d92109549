/** What a reader has not seen yet: one pointer a room, which only moves forward. Pure. */

import { isSame } from "./readers.js";

/** Where a reader is in a room. */
export class Unread {
  /** Everything up to here was seen. */
  readSeq;

  /** @type {number | null} the marker stands before the first message from here on */
  markerSeq = null;

  /** Messages of others that arrived while the reader did not look. */
  count = 0;

  /** @param {number} readSeq from an earlier visit, 0 if there was none */
  constructor(readSeq) {
    this.readSeq = readSeq;
  }

  /**
   * The room was opened and shows these messages.
   * @param {readonly import("./log.js").Message[]} messages in `seq` order
   * @param {import("./readers.js").Reader} self
   */
  open(messages, self) {
    const unseen = messages.filter((message) => message.seq > this.readSeq && !isSame(message, self));
    // On a first visit everything is new, and a marker would say nothing.
    if (this.readSeq > 0 && unseen.length) this.markerSeq = unseen[0].seq;
  }

  /**
   * Somebody else said something.
   * @param {number} seq
   * @param {boolean} isLooking whether the reader sees the end of the conversation
   */
  arrive(seq, isLooking) {
    if (isLooking) return this.see(seq);
    if (this.count === 0) this.markerSeq = seq;
    this.count += 1;
  }

  /**
   * The reader sees the end of the conversation.
   * @param {number} seq of the newest message
   */
  see(seq) {
    this.readSeq = Math.max(this.readSeq, seq);
    this.count = 0;
  }

  /** The reader answered: what was new is old. */
  clearMarker() {
    this.markerSeq = null;
  }
}
