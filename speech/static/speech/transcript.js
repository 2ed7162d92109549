/** The transcript on the page: turns in their order, each growing until its last word is known. */

const WHO = Object.freeze({ user: "You", assistant: "The book" });
/** Turns that stay on the page. */
const MOST_TURNS = 200;
/** This near to the end, the reader wants to see what comes; px. */
const NEAR_PX = 80;

/** @typedef {{role: "user" | "assistant", text: string, turnId: string, final: boolean}} Line */

export class Transcript {
  #log;
  #scroller;
  #template;
  #empty;
  /** @type {Map<string, HTMLElement>} */
  #turns = new Map();
  /** Where we have scrolled to, px; a reader who scrolls is somewhere else. */
  #followedTo = 0;

  /**
   * @param {object} places
   * @param {HTMLElement} places.log
   * @param {HTMLElement} places.scroller
   * @param {HTMLElement} places.empty shown until somebody speaks
   * @param {HTMLTemplateElement} places.template of a turn
   */
  constructor({ log, scroller, empty, template }) {
    this.#log = log;
    this.#scroller = scroller;
    this.#template = template;
    this.#empty = empty;
    new ResizeObserver(() => this.#hold()).observe(scroller);
  }

  /** @param {Line} line */
  add({ role, text, turnId, final }) {
    const isFollowed = this.#isFollowed;
    const turn = this.#turns.get(turnId) ?? (text.trim() ? this.#begin(role, turnId) : null);
    if (!turn) return;
    const words = /** @type {HTMLElement} */ (turn.querySelector(".turn-text"));
    words.textContent = final ? text : `${words.textContent}${text}`;
    turn.classList.toggle("is-growing", !final);
    if (final && !text.trim()) this.#drop(turnId);
    if (isFollowed) this.#follow(turn);
  }

  /** Nothing grows any more: the talk has ended. */
  settle() {
    for (const turn of this.#turns.values()) turn.classList.remove("is-growing");
  }

  /** The desk below grows and shrinks: what is read along stays in sight. */
  #hold() {
    const newest = [...this.#turns.values()].at(-1);
    if (newest && this.#isFollowed) this.#follow(newest);
  }

  get #isFollowed() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const isAtTheEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    return isAtTheEnd || Math.abs(scrollTop - this.#followedTo) < 2;
  }

  /**
   * Scroll to the end, but no further than to the beginning of the turn: an answer is written
   * faster than it is spoken, and is read along from its first word.
   * @param {HTMLElement} turn
   */
  #follow(turn) {
    const above = turn.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top;
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#scroller.scrollTop = Math.min(scrollHeight - clientHeight, scrollTop + above);
    this.#followedTo = this.#scroller.scrollTop;
  }

  /**
   * @param {"user" | "assistant"} role
   * @param {string} turnId
   */
  #begin(role, turnId) {
    const copy = /** @type {DocumentFragment} */ (this.#template.content.cloneNode(true));
    const turn = /** @type {HTMLElement} */ (copy.firstElementChild);
    turn.classList.add(role === "user" ? "is-reader" : "is-book");
    /** @type {HTMLElement} */ (turn.querySelector(".turn-who")).textContent = WHO[role];
    this.#log.append(turn);
    this.#turns.set(turnId, turn);
    this.#empty.hidden = true;
    const [oldest] = this.#turns.keys();
    if (this.#turns.size > MOST_TURNS) this.#drop(oldest);
    return turn;
  }

  /** @param {string} turnId */
  #drop(turnId) {
    this.#turns.get(turnId)?.remove();
    this.#turns.delete(turnId);
  }
}
