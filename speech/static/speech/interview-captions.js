/** What the browser itself hears, phrase by phrase, where it can recognise speech. */

const Recognition = /** @type {any} */ (globalThis).SpeechRecognition ?? /** @type {any} */ (globalThis).webkitSpeechRecognition;

/** After these a new attempt would fail too. */
const FINAL_ERRORS = new Set(["not-allowed", "service-not-allowed", "language-not-supported", "network", "audio-capture"]);

/**
 * Events: `phrase` (detail `{ text, isFinal }`: the current phrase, revised until it is final) and
 * `failed` (it cannot work here).
 */
export class Captions extends EventTarget {
  /** @type {any} */
  #recognition = null;

  static get areThere() {
    return Boolean(Recognition);
  }

  /** Listen until `stop`; browsers end by themselves after a silence, and are started again. */
  start() {
    if (this.#recognition || !Recognition) return;
    const recognition = (this.#recognition = new Recognition());
    recognition.lang = "en";
    recognition.continuous = true;
    recognition.interimResults = true;
    recognition.addEventListener("result", (/** @type {any} */ event) => this.#hear(event));
    recognition.addEventListener("error", (/** @type {any} */ { error }) => {
      if (!FINAL_ERRORS.has(error)) return;
      this.stop();
      this.dispatchEvent(new CustomEvent("failed"));
    });
    recognition.addEventListener("end", () => {
      if (this.#recognition === recognition) recognition.start();
    });
    recognition.start();
  }

  /** Listen no more; a phrase that is not final stays as it is. */
  stop() {
    const recognition = this.#recognition;
    this.#recognition = null;
    recognition?.abort();
  }

  /** @param {any} event a SpeechRecognitionEvent */
  #hear(event) {
    if (!this.#recognition) return;
    let begun = "";
    for (const result of [...event.results].slice(event.resultIndex)) {
      if (result.isFinal) this.#tell(begun + result[0].transcript, true);
      else begun += result[0].transcript;
    }
    if (begun) this.#tell(begun, false);
  }

  /**
   * @param {string} words
   * @param {boolean} isFinal
   */
  #tell(words, isFinal) {
    const text = words.replace(/\s+/gu, " ").trim().slice(0, 4_000);
    if (text) this.dispatchEvent(new CustomEvent("phrase", { detail: { text, isFinal } }));
  }
}
