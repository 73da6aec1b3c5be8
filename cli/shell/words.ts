/** A line as a command line: words, quoted as in a shell. Pure. */
import { UsageError } from "../exit.ts";

/**
 * The words of a line. Blanks part them, quotes (either kind) and a backslash keep what they hold together.
 *
 * @throws {UsageError} when a quote is not closed.
 */
export function words(line: string): string[] {
  const { words, quote } = split(line);
  if (quote !== null) throw new UsageError(`A quote is not closed: ${quote}`);
  return words;
}

/** The words of a line that is still being typed, the last one being the one at the end (perhaps empty). */
export function wordsSoFar(line: string): string[] {
  const { words, isOpen } = split(line);
  return isOpen ? words : [...words, ""];
}

interface Split {
  readonly words: string[];
  /** The quote that is not closed. */
  readonly quote: string | null;
  /** Nothing has ended the last word yet. */
  readonly isOpen: boolean;
}

function split(line: string): Split {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  let isEscaped = false;
  for (const character of line) {
    if (isEscaped) {
      word = (word ?? "") + character;
      isEscaped = false;
    } else if (character === "\\" && quote !== "'") {
      isEscaped = true;
    } else if (quote !== null) {
      if (character === quote) quote = null;
      else word = (word ?? "") + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (word !== null) words.push(word);
  return { words, quote, isOpen: word !== null };
}
