/**
 * Text on its way to a terminal. Rows are anyone's words: what a terminal would obey (control characters, escape
 * sequences, bidi overrides) is written as an escape, whichever way it comes in.
 */
import truncatedWidth from "fast-string-truncated-width";

/** Joiners, as in emoji and in Persian, are harmless. */
const COMMANDS = /(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** The text with each character that could command a terminal as `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(COMMANDS, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** A value as one line of JSON: the same value to every reader, and nothing in it that a terminal would obey. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(COMMANDS, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** How many columns a printable text takes: wide characters take two, combining ones none. */
export function widthOf(text: string): number {
  return truncatedWidth(text).width;
}

/** Marks pile up on a letter without taking a column: so many characters a column are enough for every language. */
const MAX_CHARACTERS_A_COLUMN = 4;

/** The text in at most `width` columns, with an ellipsis where something was cut. */
export function cut(text: string, width: number): string {
  if (width === Infinity) return text;
  const most = width * MAX_CHARACTERS_A_COLUMN;
  const all = Array.from(text);
  if (all.length <= most && widthOf(text) <= width) return text;
  const characters = all.slice(0, most);
  let [fits, tooMany] = [0, characters.length + 1];
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (widthOf(characters.slice(0, middle).join("")) < width) fits = middle;
    else tooMany = middle;
  }
  return `${characters.slice(0, fits).join("")}…`;
}

/** The text filled with blanks up to `width` columns. */
export function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const blanks = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "right" ? blanks + text : text + blanks;
}
