/** Fills the markup of one message. Text becomes text nodes, never markup. */

import { timeWords } from "./dates.js";
import { element, hook } from "./hooks.js";
import { segments } from "./links.js";
import { keyOf } from "./readers.js";
import { sentence, tombstoneWords } from "./words.js";

/** @typedef {import("./timeline.js").MessageItem} MessageItem */
/** @typedef {import("./log.js").Message} Message */

/**
 * @typedef {object} Surroundings What a message needs to know of the room.
 * @property {import("./readers.js").Reader | null} reader
 * @property {(id: string) => Message | null} find
 * @property {boolean} isJoined whether the reader may act on messages
 */

/** Characters of an answered message that are quoted. */
const QUOTED = 90;

/**
 * @param {HTMLElement} article
 * @param {MessageItem} item
 * @param {Surroundings} room
 */
export function fillMessage(article, item, room) {
  const { message, draft } = item;
  article.classList.toggle("is-own", item.isOwn);
  article.classList.toggle("is-continued", item.isContinued);
  article.classList.toggle("is-removed", Boolean(message?.deletedBy));
  article.classList.toggle("is-waiting", draft?.state === "waiting");
  article.classList.toggle("is-failed", draft?.state === "failed");
  if (message) article.id = `message-${message.id}`;
  article.dataset.key = item.key;
  hook(article, "name").textContent = item.username;
  hook(article, "role").hidden = !message?.isAi;
  fillTime(hook(article, "time"), item.at);
  fillReply(article, message?.replyTo ?? draft?.replyTo ?? null, room);
  fillText(hook(article, "text"), message, draft?.content ?? "");
  hook(article, "marks").hidden = !message?.editedAt;
  /** @type {HTMLButtonElement} */ (hook(article, "wordings")).disabled = !room.isJoined;
  if (message?.editedAt) fillTime(hook(article, "edited"), new Date(message.editedAt));
  fillReactions(hook(article, "reactions"), message, room);
  hook(article, "failure").hidden = draft?.state !== "failed";
  hook(article, "reason").textContent = sentence(draft?.reason ?? "");
  const menu = hook(article, "menu");
  menu.hidden = !room.isJoined || !message || Boolean(message.deletedBy);
  menu.setAttribute("aria-label", `Actions for the message of ${item.username}`);
}

/**
 * @param {HTMLElement} time
 * @param {Date} at
 */
function fillTime(time, at) {
  /** @type {HTMLTimeElement} */ (time).dateTime = at.toISOString();
  time.textContent = timeWords(at);
  time.title = at.toLocaleString("en-GB", { dateStyle: "full", timeStyle: "short" });
}

/**
 * @param {HTMLElement} article
 * @param {string | null} id of the answered message
 * @param {Surroundings} room
 */
function fillReply(article, id, room) {
  hook(article, "reply").hidden = id === null;
  if (id === null) return;
  /** @type {HTMLAnchorElement} */
  const link = hook(article, "reply-link");
  link.href = `#message-${id}`;
  link.dataset.answered = id;
  const answered = room.find(id);
  if (!answered) {
    link.replaceChildren("An earlier message");
    return;
  }
  const words = answered.deletedBy ? tombstoneWords(answered.deletedBy) : quote(answered.content);
  link.replaceChildren(element("span", answered.username, "message-name"), ` ${words}`);
}

/**
 * @param {string} content
 * @returns {string} its beginning, in one line
 */
function quote(content) {
  const characters = [...content.replace(/\s+/gu, " ")];
  return characters.length > QUOTED ? `${characters.slice(0, QUOTED).join("")}…` : characters.join("");
}

/**
 * @param {HTMLElement} place
 * @param {Message | null} message
 * @param {string} drafted
 */
function fillText(place, message, drafted) {
  if (message?.deletedBy) {
    place.replaceChildren(tombstoneWords(message.deletedBy));
    return;
  }
  place.replaceChildren(...segments(message?.content ?? drafted).map(({ text, href }) => {
    if (href === null) return document.createTextNode(text);
    const link = document.createElement("a");
    link.href = href;
    link.rel = "nofollow ugc noopener noreferrer";
    link.target = "_blank";
    link.textContent = text;
    return link;
  }));
}

/**
 * @param {HTMLElement} list
 * @param {Message | null} message
 * @param {Surroundings} room
 */
function fillReactions(list, message, { reader, isJoined }) {
  const reactions = [...(message?.reactions ?? [])];
  list.hidden = reactions.length === 0;
  const own = reader ? keyOf(reader) : "";
  list.replaceChildren(...reactions.map(([emoji, readers]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "reaction";
    button.dataset.emoji = emoji;
    button.disabled = !isJoined;
    button.setAttribute("aria-pressed", String(readers.includes(own)));
    const count = element("span", String(readers.length), "count");
    button.append(element("span", emoji, "emoji"), " ", count);
    const entry = document.createElement("li");
    entry.append(button);
    return entry;
  }));
}
