/** A reader without an account: a name, and an id that stays the same on this device. */

import { keeping } from "./keeping.js";

/** @typedef {import("./readers.js").Reader} Reader */

const NAME_KEY = "readrealm.guest.name";
const ID_KEY = "readrealm.guest.id";

/** The name that was given on an earlier visit, or an empty one. */
export function knownName() {
  return keeping.getItem(NAME_KEY) ?? "";
}

/**
 * @param {string} username
 * @returns {Reader}
 */
export function guest(username) {
  const userId = keeping.getItem(ID_KEY) ?? `guest-${crypto.randomUUID()}`;
  keeping.setItem(ID_KEY, userId);
  keeping.setItem(NAME_KEY, username);
  return { userId, username, isGuest: true };
}

/** The next visit asks for a name again; the id stays. */
export function forgetName() {
  keeping.removeItem(NAME_KEY);
}
