/**
 * Keeps what a reader looks at where it is: at the end, the end stays in view; elsewhere, the
 * first visible line does not move, whatever comes in above or below it.
 */

/** This near to the end counts as the end, px. */
const NEAR_END_PX = 48;

/** So many lines are remembered, for the first ones may be gone after a change. */
const MOST_ANCHORS = 40;

/** The scrolled conversation. Fires `change` when the reader reaches the end or leaves it. */
export class Scroll extends EventTarget {
  #scroller;
  #content;
  #isAtEnd = true;

  /** Heights when the reader's place was last looked at. */
  #measures = "";

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} content whose children are the lines
   */
  constructor(scroller, content) {
    super();
    this.#scroller = scroller;
    this.#content = content;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // The keyboard of a phone and a growing composer take room from the conversation.
    const observer = new ResizeObserver(() => { if (this.#isAtEnd) this.toEnd(); });
    observer.observe(scroller);
    observer.observe(content);
  }

  /** Whether the reader sees the end. */
  get isAtEnd() {
    return this.#isAtEnd;
  }

  /** Show the end. */
  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#look();
  }

  /**
   * Bring a line into view, below the upper edge.
   * @param {HTMLElement} line
   */
  to(line) {
    const { top } = line.getBoundingClientRect();
    this.#scroller.scrollTop += top - this.#scroller.getBoundingClientRect().top - NEAR_END_PX;
    this.#look();
  }

  /**
   * Change the content without moving what the reader looks at.
   * @param {() => void} change
   */
  keep(change) {
    if (this.#isAtEnd) {
      change();
      this.toEnd();
      return;
    }
    const edge = this.#scroller.getBoundingClientRect().top;
    // Messages only: a date moves up when older messages of its day come in.
    const visible = [...this.#content.querySelectorAll("[data-message]")].filter(
      (line) => line.getBoundingClientRect().bottom > edge,
    );
    const tops = visible.slice(0, MOST_ANCHORS).map((line) => line.getBoundingClientRect().top);
    change();
    const place = visible.slice(0, MOST_ANCHORS).findIndex((line) => line.isConnected);
    if (place === -1) return;
    this.#scroller.scrollTop += visible[place].getBoundingClientRect().top - tops[place];
  }

  #scrolled() {
    const { scrollHeight, clientHeight } = this.#scroller;
    // Whoever was at the end and is not after a change of size did not scroll away.
    if (this.#isAtEnd && this.#measures !== `${scrollHeight} ${clientHeight}`) this.toEnd();
    else this.#look();
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#measures = `${scrollHeight} ${clientHeight}`;
    const wasAtEnd = this.#isAtEnd;
    this.#isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (this.#isAtEnd !== wasAtEnd) this.dispatchEvent(new Event("change"));
  }
}
