/**
 * Marks on rows that have just changed: what happened, and to which columns. A deleted row stays for a moment as a ghost,
 * so that it is seen going. Marks appear at most once a frame and go together.
 */
import { signal } from "@preact/signals";
import type { Change } from "../../protocol/change.ts";
import type { Order } from "../../protocol/orders.ts";
import { oncePerFrame } from "./frame.ts";

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

export const flashes = signal<ReadonlyMap<number, Flash>>(new Map());
export const ghosts = signal<ReadonlyMap<number, Order>>(new Map());

const marked = new Map<number, Flash>();
const gone = new Map<number, Order>();
let sweeping: ReturnType<typeof setTimeout> | undefined;

const show = oncePerFrame(() => {
  flashes.value = new Map(marked);
  ghosts.value = new Map(gone);
});

/** Marks a row; for a DELETE `order` is the row as it was. */
export function flash(change: Change, order: Order): void {
  const { operation } = change;
  if (operation === "TRUNCATE") return;
  const isDelete = operation === "DELETE";
  if (isDelete && gone.size >= MAX_GHOSTS) return;
  if (isDelete) gone.set(order.id, order);
  else gone.delete(order.id);
  marked.set(order.id, {
    operation,
    columns: new Set(Object.keys(change.old ?? {})),
    turn: marked.get(order.id)?.turn === "a" ? "b" : "a",
    until: Date.now() + (isDelete ? GHOST_MS : FLASH_MS),
  });
  show();
  sweeping ??= setTimeout(sweep, SWEEP_MS);
}

const SWEEP_MS = 700;

function sweep(): void {
  const time = Date.now();
  for (const [id, { until }] of marked) {
    if (until > time) continue;
    marked.delete(id);
    gone.delete(id);
  }
  show();
  sweeping = marked.size > 0 ? setTimeout(sweep, SWEEP_MS) : undefined;
}
