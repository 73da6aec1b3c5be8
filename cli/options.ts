/** Readers of option values: each throws what commander shows as an error of the command line. */
import { InvalidArgumentError } from "commander";
import { parsePosition } from "../protocol/position.ts";

export const DEFAULT_URL = "http://localhost:8787";

/** `a,b` as a list, without blanks and empty ones. @throws when nothing is left. */
export function list(text: string): string[] {
  const values = text
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");
  if (values.length === 0) throw new InvalidArgumentError("It is a list: a,b,c");
  return values;
}

/** `1,2` as numbers. */
export function ids(text: string): number[] {
  return list(text).map((value) => {
    const id = Number(value);
    if (!/^[0-9]+$/.test(value) || !Number.isSafeInteger(id)) {
      throw new InvalidArgumentError("It is a list of whole numbers: 1,2,3");
    }
    return id;
  });
}

/** The text of a position. */
export function position(text: string): string {
  if (!parsePosition(text)) throw new InvalidArgumentError("A position looks like k3v9x2ab.1042");
  return text;
}

/** An http address. */
export function address(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError(`It is an address like ${DEFAULT_URL}`);
  }
  return text;
}
