/**
 * The last half minute of sound as a picture: the reader above the line in solid bars, the book
 * below it in hatched ones, and pauses as nothing.
 */

const COLUMN_PX = 3;
const GAP_PX = 1;
const STEP_MS = 100;
/** Quieter than this is a pause; dB below full scale. */
const QUIET_DB = -60;

/**
 * How high a bar is, 0 to 1, for an amplitude of 0 to 1: loudness is heard in decibels.
 * @param {number} amplitude
 */
export function heightOf(amplitude) {
  if (amplitude <= 0) return 0;
  return Math.max(0, Math.min(1, 1 - (20 * Math.log10(amplitude)) / QUIET_DB));
}

export class Timeline {
  #canvas;
  #pen;
  #levels;
  /** @type {{reader: number, book: number}[]} */
  #columns = [];
  #loudest = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => number} bookLevel amplitude of what is being played
   */
  constructor(canvas, bookLevel) {
    this.#canvas = canvas;
    this.#pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.#levels = { book: bookLevel };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    new ResizeObserver(() => this.#resize()).observe(canvas);
  }

  /** @param {number} amplitude of the reader, as often as it is known */
  hear(amplitude) {
    this.#loudest = Math.max(this.#loudest, amplitude);
  }

  start() {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#step(), STEP_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#draw();
  }

  #step() {
    this.#columns.push({ reader: this.#loudest, book: this.#levels.book() });
    this.#loudest = 0;
    this.#columns = this.#columns.slice(-this.#room);
    this.#draw();
  }

  get #room() {
    return Math.floor(this.#canvas.clientWidth / (COLUMN_PX + GAP_PX));
  }

  #resize() {
    const sharp = devicePixelRatio || 1;
    this.#canvas.width = Math.round(this.#canvas.clientWidth * sharp);
    this.#canvas.height = Math.round(this.#canvas.clientHeight * sharp);
    this.#pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    this.#draw();
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const style = getComputedStyle(this.#canvas);
    const middle = height / 2;
    this.#pen.clearRect(0, 0, width, height);
    this.#pen.fillStyle = style.getPropertyValue("--rule");
    this.#pen.fillRect(0, middle - 0.5, width, 1);
    const first = width - this.#columns.length * (COLUMN_PX + GAP_PX);
    this.#columns.forEach(({ reader, book }, n) => {
      const left = first + n * (COLUMN_PX + GAP_PX);
      const [up, down] = [heightOf(reader), heightOf(book)].map((part) => part * (middle - 2));
      this.#pen.fillStyle = style.getPropertyValue("--accent");
      this.#pen.fillRect(left, middle - 1 - up, COLUMN_PX, up);
      this.#pen.fillStyle = style.getPropertyValue("--good");
      for (let y = 1; y < down; y += 4) this.#pen.fillRect(left, middle + y, COLUMN_PX, Math.min(2, down - y));
    });
  }
}
