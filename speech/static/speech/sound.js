/** Lets sound run, or says that it cannot. Knows no page. */

/** How long a device may take. */
const WITHIN_MS = 5_000;

export const NO_SOUND = "This device lets no sound run. Connect a loudspeaker or headphones, and try again.";

/** There is no sound to be had; `message` says to the reader what to do. */
export class NoSound extends Error {
  name = "NoSound";

  constructor() {
    super(NO_SOUND);
  }
}

/**
 * Let a context run. Firefox never answers where a device has no way to play.
 * @param {Pick<AudioContext, "resume">} context
 * @throws {NoSound}
 */
export async function run(context) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let late;
  const isLate = new Promise((_, reject) => {
    late = setTimeout(() => reject(new NoSound()), WITHIN_MS);
  });
  try {
    await Promise.race([context.resume(), isLate]);
  } finally {
    clearTimeout(late);
  }
}
