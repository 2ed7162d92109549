/** Sentences that the room says about its readers. */

/**
 * @param {readonly string[]} names
 * @returns {string} `Anna`, `Anna and Tom` or `3 readers`
 */
export function who(names) {
  return names.length > 2 ? `${names.length} readers` : names.join(" and ");
}

/**
 * @param {readonly string[]} came
 * @param {readonly string[]} left
 * @returns {string} such as `Anna came in, 3 readers left`
 */
export function movementWords(came, left) {
  return [came.length && `${who(came)} came in`, left.length && `${who(left)} left`]
    .filter(Boolean)
    .join(", ");
}

/**
 * @param {readonly string[]} names
 * @returns {string} empty when nobody is writing
 */
export function typingWords(names) {
  if (!names.length) return "";
  return names.length === 1 ? `${names[0]} is writing` : `${who(names)} are writing`;
}

/**
 * @param {number} count
 * @returns {string} such as `1 reader here`
 */
export function presentWords(count) {
  return `${count} ${count === 1 ? "reader" : "readers"} here`;
}

/**
 * What the server says, as a sentence.
 * @param {string} words
 * @returns {string}
 */
export function sentence(words) {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return text && !/[.!?]$/u.test(text) ? `${text}.` : text;
}

/**
 * @param {string | null} by `author` or `moderator`
 * @returns {string}
 */
export function tombstoneWords(by) {
  return by === "moderator" ? "A moderator removed this message." : "The reader removed this message.";
}
