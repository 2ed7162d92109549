/** The room page: finds out who is reading, joins, and puts the parts together. */

import { io } from "socket.io-client";

import { Actions } from "./actions.js";
import { Announcer } from "./announcer.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { momentWords } from "./dates.js";
import { element, hook } from "./hooks.js";
import { forgetName, guest, knownName } from "./guest.js";
import { keeping } from "./keeping.js";
import { Keyboard } from "./keyboard.js";
import { showReaders } from "./readers-view.js";
import { RoomClient, TRANSPORTS } from "./room-client.js";
import { StatusBar } from "./status-bar.js";
import { OthersTyping } from "./typing.js";
import { typingWords } from "./words.js";
import { isSame } from "./readers.js";

/** @typedef {import("./readers.js").Reader} Reader */
/** @typedef {import("./membership.js").Status} Status */

/**
 * @typedef {object} Config What the server tells the page.
 * @property {number} bookId
 * @property {Reader | null} reader the signed-in reader
 * @property {boolean} guests whether readers without an account may join
 * @property {boolean} canReport
 * @property {import("./log.js").WireMessage[]} messages
 * @property {boolean} hasOlder
 * @property {boolean} isPaged whether the page shows an older stretch, which is not live
 */

/** Scrolled this far the spine of a phone shrinks, and back here it grows; px. */
const SHRINKS_AT_PX = 96;
const GROWS_AT_PX = 8;

const page = hook(document, "room");
/** @type {Config} */
const config = JSON.parse(document.getElementById("room-config")?.textContent ?? "");
const announcer = new Announcer(hook(page, "announcer"));
const conversation = new Conversation(page, config.messages, announcer);

shrinkSpine();
if (config.isPaged) {
  // An older stretch is for reading.
} else if (config.reader) join(config.reader);
else if (!config.guests) hook(page, "sign-in").hidden = false;
else if (knownName()) join(guest(knownName()));
else askName();

function askName() {
  const form = hook(page, "join");
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = /** @type {HTMLInputElement} */ (hook(form, "guest-name")).value.trim();
    if (!name) return;
    form.hidden = true;
    join(guest(name));
    hook(page, "words").focus();
  });
}

/** @param {Reader} reader */
function join(reader) {
  const socket = io({ ...TRANSPORTS, autoConnect: false });
  const { bookId, messages, hasOlder } = config;
  const client = new RoomClient({
    socket, bookId, reader, known: messages, hasOlder, storage: keeping,
  });
  const bar = new StatusBar(hook(page, "bar"));
  const composer = new Composer(page, client, {
    bar, lastOwn: () => conversation.lastOwn, afterSending: () => conversation.toLatest(),
  });
  const actions = new Actions(page, {
    client, conversation, composer, bar, canReport: config.canReport,
  });
  new Keyboard(page, { conversation, composer, actions });
  hook(page, "composer").hidden = false;
  showSelf(reader);
  conversation.follow(client);
  client.addEventListener("status", () => { bar.show(client.status); showMembership(client.status); });
  client.addEventListener("presence", () => {
    showReaders(page, client.present, client.presentCount, reader);
  });
  showTyping(client);
  hurry(socket, client);
  client.enter();
}

/** @param {Reader} reader */
function showSelf(reader) {
  const place = hook(page, "who");
  place.replaceChildren(element("span", "Writing as"), element("strong", reader.username));
  if (!reader.isGuest) return;
  const change = element("button", "another name", "link");
  change.setAttribute("type", "button");
  change.addEventListener("click", () => {
    forgetName();
    location.reload(); // a connection speaks for one reader only
  });
  place.append(element("span", "·"), change);
}

/** @param {Status} status */
function showMembership(status) {
  const isOut = status.name === "removed";
  const needsAccount = status.name === "refused" && status.code === "UNAUTHENTICATED";
  hook(page, "composer").hidden = isOut || needsAccount;
  hook(page, "sign-in").hidden = !needsAccount;
  const removed = hook(page, "removed");
  removed.hidden = !isOut;
  if (!isOut) return;
  const until = status.until ? ` until ${momentWords(new Date(status.until))}` : "";
  const what = status.action === "ban" ? "You cannot write in this room" : "You are asked to pause";
  removed.textContent = `${what}${until}. ${status.reason ? `A moderator wrote: ${status.reason}` : ""}`.trim();
  announcer.say(removed.textContent);
}

/** @param {RoomClient} client */
function showTyping(client) {
  const others = new OthersTyping();
  others.addEventListener("change", () => {
    hook(page, "typing").textContent = typingWords(others.names);
  });
  client.addEventListener("typing", (event) => {
    const { detail } = /** @type {CustomEvent} */ (event);
    if (!isSame(detail, client.reader)) others.hear(detail, detail.on);
  });
  client.addEventListener("status", () => { if (client.status.name !== "live") others.clear(); });
  client.addEventListener("arrival", (event) => others.hear(/** @type {CustomEvent} */ (event).detail, false));
  client.addEventListener("movement", (event) => others.hear(/** @type {CustomEvent} */ (event).detail, false));
}

/**
 * Do not wait for the next attempt when the network is back.
 * @param {import("socket.io-client").Socket} socket
 * @param {RoomClient} client
 */
function hurry(socket, client) {
  addEventListener("online", () => {
    if (client.status.name === "reconnecting" && !socket.connected) socket.disconnect().connect();
  });
}

/** On a phone the spine takes one line while the conversation is being read. */
function shrinkSpine() {
  const scroller = hook(page, "scroller");
  const follow = () => {
    const { scrollTop } = scroller;
    if (scrollTop > SHRINKS_AT_PX) page.classList.add("is-scrolled");
    else if (scrollTop < GROWS_AT_PX) page.classList.remove("is-scrolled");
  };
  scroller.addEventListener("scroll", follow, { passive: true });
  follow();
}
