/** Says what happened to those who do not see it, once and politely. */
export class Announcer {
  #place;

  /** @param {HTMLElement} place with `role="status"` */
  constructor(place) {
    this.#place = place;
  }

  /** @param {string} words */
  say(words) {
    // The same words twice are heard twice only if the text changes in between.
    this.#place.textContent = this.#place.textContent === words ? `${words}\u00a0` : words;
  }
}
