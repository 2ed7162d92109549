/** Questions read aloud by the browser's own voice. */

/** A voice that has not begun after so long will not, ms. */
const START_MS = 4_000;

/** No voice takes longer than this for a word, ms. */
const WORD_MS = 900;

export class Voice {
  /** @type {() => void} */
  #stop = () => {};

  /** Whether this browser has a voice; its list may come late, see `voiceschanged`. */
  get isThere() {
    return Boolean(globalThis.speechSynthesis?.getVoices().length);
  }

  /**
   * Wait a moment for the browser's list of voices.
   * @returns {Promise<boolean>} whether there is one
   */
  async find() {
    if (!globalThis.speechSynthesis || this.isThere) return this.isThere;
    await new Promise((resolve) => {
      const late = setTimeout(resolve, 1_500);
      speechSynthesis.addEventListener("voiceschanged", () => { clearTimeout(late); resolve(undefined); }, { once: true });
    });
    return this.isThere;
  }

  /**
   * Read a text in English.
   * @param {string} text
   * @returns {Promise<boolean>} whether it was read to its end, rather than cut short or not read
   */
  read(text) {
    this.stop();
    if (!this.isThere) return Promise.resolve(false);
    return new Promise((resolve) => {
      const utterance = new SpeechSynthesisUtterance(text);
      utterance.lang = "en-GB";
      utterance.voice = speechSynthesis.getVoices().find((voice) => voice.lang.startsWith("en")) ?? null;
      const settle = (/** @type {boolean} */ wasRead) => {
        clearTimeout(deadline);
        this.#stop = () => {};
        resolve(wasRead);
      };
      // Some voices neither end nor fail.
      const giveUp = () => { speechSynthesis.cancel(); settle(false); };
      let deadline = setTimeout(giveUp, START_MS);
      utterance.addEventListener("start", () => {
        clearTimeout(deadline);
        deadline = setTimeout(giveUp, START_MS + text.split(/\s+/u).length * WORD_MS);
      });
      utterance.addEventListener("end", () => settle(true));
      utterance.addEventListener("error", () => settle(false));
      this.#stop = giveUp;
      speechSynthesis.speak(utterance);
    });
  }

  /** Silent at once. */
  stop() {
    this.#stop();
  }
}
