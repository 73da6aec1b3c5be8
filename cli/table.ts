/** Rows as a table that fits: columns give way, the least important first, before a line would break. Pure. */
import type { Colour, Paint } from "./paint.ts";
import { cut, pad, printable, widthOf } from "./text.ts";

export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string;
  readonly align?: "right";
  readonly colour?: (row: T) => Colour | null;
  /** The width down to which its values may be cut; never cut without one. */
  readonly min?: number;
  /** Left out where there is no room, the highest first; never without one. */
  readonly dispensable?: number;
}

const GAP = "  ";

/**
 * The lines of a table, its heading first.
 *
 * @param width in columns; Infinity where nothing has to fit (a pipe).
 */
export function table<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  width: number,
  paint: Paint,
): string[] {
  const all = columns.map((column) => {
    const cells = rows.map((row) => printable(column.value(row)));
    return { ...column, cells, natural: Math.max(...[column.title, ...cells].map(widthOf)) };
  });
  const shown = fit(all, width);
  const widths = squeeze(shown, width);
  const line = (text: (column: (typeof shown)[number], width: number) => string): string =>
    shown
      .map((column, index) => text(column, widths[index] ?? 0))
      .join(GAP)
      .trimEnd();
  const heading = line(({ title, align }, width) => paint("dim", pad(cut(title, width), width, align)));
  const body = rows.map((row, index) =>
    line(({ cells, align, colour }, width) => {
      const text = pad(cut(cells[index] ?? "", width), width, align);
      const colourName = colour?.(row) ?? null;
      return colourName === null ? text : paint(colourName, text);
    }),
  );
  return [heading, ...body];
}

interface Measured {
  readonly natural: number;
  readonly min?: number;
  readonly dispensable?: number;
}

function least({ natural, min = natural }: Measured): number {
  return Math.min(natural, min);
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
}

/** Leaves columns out until the others, cut as far as they may be, have room. */
function fit<C extends Measured>(columns: readonly C[], width: number): readonly C[] {
  if (total(columns.map(least)) <= width) return columns;
  const goes = Math.max(...columns.map(({ dispensable = 0 }) => dispensable));
  if (goes === 0) return columns;
  return fit(
    columns.filter(({ dispensable = 0 }) => dispensable !== goes),
    width,
  );
}

/** Takes from the widest column that may be cut, until the line has room. */
function squeeze(columns: readonly Measured[], width: number): number[] {
  const widths = columns.map(({ natural }) => natural);
  while (total(widths) > width) {
    const room = columns.map((column, index) => ((widths[index] ?? 0) > least(column) ? widths[index] : 0));
    const widest = room.indexOf(Math.max(...room.map((width = 0) => width)));
    if (!room[widest]) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}
