/** Shows how a message was worded before it was edited, newest first. */

import { momentWords } from "./dates.js";
import { copyOf, hook } from "./hooks.js";

/** @typedef {import("./log.js").Message} Message */
/** @typedef {import("./room-client.js").RoomClient} RoomClient */

/** The dialog with the wordings of one message. */
export class WordingsDialog {
  #dialog;
  #client;

  /** The message that is shown. */
  #messageId = "";

  /**
   * @param {HTMLDialogElement} dialog
   * @param {RoomClient} client
   */
  constructor(dialog, client) {
    this.#dialog = dialog;
    this.#client = client;
    dialog.addEventListener("close", () => hook(dialog, "wordings-list").replaceChildren());
    // What is removed meanwhile is not to be read any more.
    client.addEventListener("change", () => {
      if (dialog.open && client.log.find(this.#messageId)?.deletedBy) dialog.close();
    });
  }

  /**
   * @param {Message} message
   * @throws {import("./asking.js").Refusal | import("./asking.js").NoAnswer}
   */
  async open({ id }) {
    const wordings = await this.#client.wordings(id);
    this.#messageId = id;
    const list = hook(this.#dialog, "wordings-list");
    list.replaceChildren(...wordings.reverse().map(entry));
    if (!this.#dialog.open) this.#dialog.showModal();
    list.scrollTop = 0;
  }
}

/**
 * @param {{content: string, writtenAt: string}} wording
 * @param {number} place
 */
function entry({ content, writtenAt }, place) {
  const shown = copyOf("wording");
  const at = new Date(writtenAt);
  const time = /** @type {HTMLTimeElement} */ (hook(shown, "when"));
  time.dateTime = at.toISOString();
  time.textContent = momentWords(at);
  hook(shown, "said").textContent = content;
  hook(shown, "now").hidden = place !== 0;
  shown.classList.toggle("is-now", place === 0);
  return shown;
}
