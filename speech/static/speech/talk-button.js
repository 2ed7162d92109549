/**
 * A button to talk: hold it, or press it shortly to talk until it is pressed again, for those who
 * cannot hold. By pointer, Enter or Space; Space also works elsewhere on the page.
 *
 * Events: `begin` and `end` of a turn.
 */

/** A shorter press is a switch and not a hold. */
const SHORT_MS = 350;

export class TalkButton extends EventTarget {
  #button;
  #isOn = false;
  #isEnabled = false;
  /** @type {number | null} when the press began that began the turn */
  #pressedAt = null;

  /** @param {HTMLElement} button */
  constructor(button) {
    super();
    this.#button = button;
    button.addEventListener("pointerdown", (event) => this.#pointer(event));
    for (const name of ["pointerup", "pointercancel"]) button.addEventListener(name, () => this.#release());
    addEventListener("keydown", (event) => this.#key(event, true));
    addEventListener("keyup", (event) => this.#key(event, false));
    // A key that goes up in another window is never heard here.
    addEventListener("blur", () => this.end());
  }

  get isOn() {
    return this.#isOn;
  }

  /** @param {boolean} isEnabled */
  enable(isEnabled) {
    if (!isEnabled) this.end();
    this.#isEnabled = isEnabled;
  }

  end() {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#pressedAt = null;
    this.dispatchEvent(new Event("end"));
  }

  /** @param {PointerEvent} event */
  #pointer(event) {
    if (!this.#isEnabled || event.button !== 0) return;
    this.#button.setPointerCapture(event.pointerId);
    this.#press();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {boolean} isDown
   */
  #key(event, isDown) {
    const { target, key } = event;
    const isHere = target === this.#button;
    const isOther = target instanceof Element && target.closest("a, button, input, textarea, select, summary");
    const isMeant = (key === " " && (isHere || !isOther)) || (key === "Enter" && isHere);
    if (!this.#isEnabled || !isMeant || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (isDown && !event.repeat) this.#press();
    if (!isDown) this.#release();
  }

  #press() {
    if (this.#isOn) {
      this.end();
      return;
    }
    this.#isOn = true;
    this.#pressedAt = performance.now();
    this.dispatchEvent(new Event("begin"));
  }

  #release() {
    if (this.#pressedAt !== null && performance.now() - this.#pressedAt >= SHORT_MS) this.end();
    this.#pressedAt = null;
  }
}
