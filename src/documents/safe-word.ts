// Which words of a document may stand in a message: names, never what could be data.

/** The word itself if it looks like a member's name or a name in SQL, else `*`. */
export function toSafeWord(word: string): string {
  return /^[A-Za-z_][A-Za-z0-9_.-]{0,60}$/.test(word) && !/\d{5}/.test(word) ? word : '*';
}
