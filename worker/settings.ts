/** Numbers among the variables of env.ts, which come as text. */

export interface Bounds {
  /** 0 unless set. */
  readonly least?: number;
  /** 999,999 unless set: what is larger counts as not set. */
  readonly most?: number;
}

/** The whole number that `text` is in decimal digits; undefined when it is none, or out of bounds. */
export function wholeNumber(
  text: string | undefined,
  { least = 0, most = 999_999 }: Bounds = {},
): number | undefined {
  if (text === undefined || !/^[0-9]{1,15}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= least && number <= most ? number : undefined;
}
