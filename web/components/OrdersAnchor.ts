/** Holding still what one looks at. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Order } from "../../protocol/orders.ts";
import { arrangement, indexFor } from "../state/orders-list.ts";
import type { Rows } from "./OrdersRows.ts";

interface Held {
  readonly rows: readonly Order[];
  readonly arrangement: number;
  /** The first row in sight, in the version that is shown. */
  readonly row: Order | undefined;
  readonly index: number;
}

/**
 * Rows that come or go above those in sight would move them under the eyes, and under the pointer, of whoever reads: the page
 * is scrolled along. At the top of the table they may move: there one sees what is new. Another list is shown from its top.
 */
export function useAnchor(virtual: Rows, rows: readonly Order[], first: number): void {
  const held = useRef<Held>(null);
  useLayoutEffect(() => {
    const { current: before } = held;
    let index = first;
    if (before && before.rows !== rows && first > 0) {
      if (before.arrangement !== arrangement.peek()) {
        virtual.scrollToIndex((index = 0), { align: "start" });
      } else if (before.row) {
        index = indexFor(before.row);
        const moved = (index - before.index) * virtual.options.estimateSize(0);
        if (moved !== 0) scrollBy({ top: moved, behavior: "instant" });
      }
    }
    held.current = { rows, arrangement: arrangement.peek(), row: rows[index], index };
  });
}
