/** Voices that read a question aloud: the browser's own, and the server's. */

/** A voice that has not begun after so long will not, ms. */
const START_MS = 4_000;

/** No voice takes longer than this for a word, ms. */
const WORD_MS = 900;

/** For the server to give a question as sound, ms. */
const FETCH_MS = 20_000;

/** A voice of the browser. */
export class BrowserVoice {
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

/** The voice of the server, for browsers that have none or a worse one. */
export class ServerVoice {
  #address;
  /** @type {() => void} */
  #stop = () => {};

  /** @param {() => Promise<string>} address gives where the current question is as sound */
  constructor(address) {
    this.#address = address;
  }

  /**
   * Play the current question.
   * @returns {Promise<boolean>} whether it was read to its end, rather than cut short or not read
   */
  async read() {
    this.stop();
    const leave = new AbortController();
    this.#stop = () => leave.abort();
    try {
      const signal = AbortSignal.any([leave.signal, AbortSignal.timeout(FETCH_MS)]);
      const answer = await fetch(await this.#address(), { signal });
      if (!answer.ok) return false;
      return await play(await answer.blob(), leave.signal);
    } catch {
      return false;
    }
  }

  /** Silent at once. */
  stop() {
    this.#stop();
  }
}

/**
 * @param {Blob} sound
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>} whether it was played to its end
 */
async function play(sound, signal) {
  if (signal.aborted) return false;
  const url = URL.createObjectURL(sound);
  const player = new Audio(url);
  try {
    return await new Promise((resolve) => {
      signal.addEventListener("abort", () => { player.pause(); resolve(false); });
      player.addEventListener("ended", () => resolve(true));
      player.addEventListener("error", () => resolve(false));
      player.play().catch(() => resolve(false));
    });
  } finally {
    // Or a player that was silenced before it began would look for what is not there any more.
    player.removeAttribute("src");
    player.load();
    URL.revokeObjectURL(url);
  }
}
