/**
 * What stands in the conversation, from top to bottom: days, messages joined under one name,
 * comings and goings, the unread marker, and what is on its way. Pure.
 */

import { dayKey } from "./dates.js";
import { isSame, keyOf } from "./readers.js";

/** @typedef {import("./log.js").Message} Message */
/** @typedef {import("./outbox.js").Draft} Draft */
/** @typedef {import("./movements.js").Line} Line */
/** @typedef {import("./readers.js").Reader} Reader */

/** @typedef {{kind: "day", key: string, day: Date}} DayItem */
/** @typedef {{kind: "unread", key: string}} UnreadItem */
/** @typedef {{kind: "movement", key: string, line: Line}} MovementItem */
/**
 * @typedef {object} MessageItem
 * @property {"message"} kind
 * @property {string} key the same for a draft and the message it becomes
 * @property {Message | null} message null for a draft
 * @property {Draft | null} draft
 * @property {string} author who it is from, as a key
 * @property {string} username
 * @property {Date} at
 * @property {boolean} isOwn
 * @property {boolean} isContinued joins the message above under one name
 */
/** @typedef {DayItem | UnreadItem | MovementItem | MessageItem} Item */

/** Messages of one reader within this time stand under one name, ms. */
const GROUP_WITHIN_MS = 5 * 60_000;

/**
 * @param {object} state
 * @param {readonly Message[]} state.messages in `seq` order
 * @param {readonly Draft[]} state.drafts
 * @param {readonly Line[]} state.movements oldest first
 * @param {boolean} state.hasOlder whether there are messages before these
 * @param {number | null} state.unreadSeq the marker stands before the first message from here on
 * @param {Reader | null} state.reader the one who looks at it
 * @returns {Item[]}
 */
export function timeline({ messages, drafts, movements, hasOlder, unreadSeq, reader }) {
  /** @type {Item[]} */
  const items = [];
  // What belongs among messages that are not here would stand at the wrong place.
  const oldestSeq = hasOlder ? messages[0]?.seq ?? 0 : 0;
  const lines = movements.filter(({ afterSeq }) => afterSeq >= oldestSeq);
  let isMarked = unreadSeq === null;
  for (const message of messages) {
    while (lines.length && lines[0].afterSeq < message.seq) items.push(movementItem(lines.shift()));
    const item = messageItem(message, reader);
    addDay(items, item.at);
    if (!isMarked && unreadSeq !== null && message.seq >= unreadSeq) {
      isMarked = true;
      items.push({ kind: "unread", key: "unread" });
    }
    items.push(joined(item, items.at(-1)));
  }
  for (const line of lines) items.push(movementItem(line));
  const kept = new Set(items.map(({ key }) => key));
  for (const draft of reader ? drafts : []) {
    const item = draftItem(draft, /** @type {Reader} */ (reader));
    if (kept.has(item.key)) continue; // the room has it already
    addDay(items, item.at);
    items.push(joined(item, items.at(-1)));
  }
  return items;
}

/**
 * @param {Item[]} items
 * @param {Date} at of the message to come
 */
function addDay(items, at) {
  const last = items.findLast((item) => item.kind === "day");
  const key = `day:${dayKey(at)}`;
  // A reader's clock may lag behind the room's; days never go back.
  if (!last || last.key < key) items.push({ kind: "day", key, day: at });
}

/**
 * @param {Line | undefined} line
 * @returns {MovementItem}
 */
function movementItem(line) {
  const known = /** @type {Line} */ (line);
  return { kind: "movement", key: `movement:${known.id}`, line: known };
}

/**
 * @param {Message} message
 * @param {Reader | null} reader
 * @returns {MessageItem}
 */
function messageItem(message, reader) {
  const { id, clientMsgId, username, createdAt } = message;
  const isOwn = isSame(message, reader);
  return {
    kind: "message",
    key: isOwn && clientMsgId ? `own:${clientMsgId}` : `message:${id}`,
    message, draft: null, author: keyOf(message), username, isOwn, at: new Date(createdAt),
    isContinued: false,
  };
}

/**
 * @param {Draft} draft
 * @param {Reader} reader
 * @returns {MessageItem}
 */
function draftItem(draft, reader) {
  return {
    kind: "message",
    key: `own:${draft.clientMsgId}`,
    message: null, draft, author: keyOf(reader), username: reader.username, isOwn: true,
    at: new Date(draft.writtenAt), isContinued: false,
  };
}

/**
 * @param {MessageItem} item
 * @param {Item | undefined} above
 * @returns {MessageItem}
 */
function joined(item, above) {
  const isContinued = above?.kind === "message" && above.author === item.author
    && item.at.getTime() - above.at.getTime() < GROUP_WITHIN_MS;
  return { ...item, isContinued };
}
