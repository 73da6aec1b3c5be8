/**
 * Marks on rows that have just changed: what happened, and to which columns. A deleted row stays for a moment as a ghost,
 * so that it is seen going. Marks appear together with the rows that they are on, and go together.
 */
import { signal } from "@preact/signals";
import type { Change } from "../../protocol/change.ts";

export interface Flash {
  readonly operation: "INSERT" | "UPDATE" | "DELETE";
  /** The columns that an UPDATE changed. */
  readonly columns: ReadonlySet<string>;
  /** Turns with each change of the row, so that its animation starts anew. */
  readonly turn: "a" | "b";
  readonly until: number;
}

export const FLASH_MS = 2400;
const GHOST_MS = 1400;
/** A burst is no place for ghosts. */
const MAX_GHOSTS = 40;
const SWEEP_MS = 700;

/** Another number whenever `flashOf` may answer something else. Only the rows on the screen ask. */
export const flashed = signal(0);
/** Another number whenever ghosts have gone. */
export const ghostsGone = signal(0);

const marked = new Map<number, Flash>();
const ghosts = new Set<number>();
/** Counts the marks made and taken off. */
let made = 0;
let sweeping: ReturnType<typeof setTimeout> | undefined;

export function flashOf(id: number): Flash | undefined {
  return marked.get(id);
}

/** Whether the row, though deleted, is still to be seen. */
export function isGhost(id: number): boolean {
  return ghosts.has(id);
}

/** Lets the marks be seen that were made since the last time. */
export function showFlashes(): void {
  if (flashed.peek() !== made) flashed.value = made;
}

/** Marks the row that a change was about. It shows with the next `showFlashes`. */
export function flash({ operation, old }: Pick<Change, "operation" | "old">, id: number): void {
  if (operation === "TRUNCATE") return;
  const isDelete = operation === "DELETE";
  if (isDelete && ghosts.size >= MAX_GHOSTS) return;
  if (isDelete) ghosts.add(id);
  else ghosts.delete(id);
  marked.set(id, {
    operation,
    columns: new Set(Object.keys(old ?? {})),
    turn: marked.get(id)?.turn === "a" ? "b" : "a",
    until: Date.now() + (isDelete ? GHOST_MS : FLASH_MS),
  });
  made += 1;
  sweeping ??= setTimeout(sweep, SWEEP_MS);
}

function sweep(): void {
  const time = Date.now();
  const before = ghosts.size;
  for (const [id, { until }] of marked) {
    if (until > time) continue;
    marked.delete(id);
    ghosts.delete(id);
  }
  if (ghosts.size < before) ghostsGone.value += 1;
  made += 1;
  showFlashes();
  sweeping = marked.size > 0 ? setTimeout(sweep, SWEEP_MS) : undefined;
}
