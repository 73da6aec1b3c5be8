/** Which rows are in sight, for a table that scrolls with the page. */
import {
  defaultRangeExtractor,
  observeWindowOffset,
  observeWindowRect,
  Virtualizer,
  windowScroll,
} from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useLayoutEffect, useReducer, useRef } from "preact/hooks";
import type { Order } from "../../protocol/orders.ts";
import { activeId } from "../state/selection.ts";
import { useAnchor } from "./OrdersAnchor.ts";

/** Rows drawn beyond the edges, so that a quick turn of the wheel meets no gap. */
const OVERSCAN = 8;
/** Until it is measured. */
const USUAL_ROW_PX = 40;

interface Options {
  readonly rows: readonly Order[];
  readonly body: RefObject<HTMLElement | null>;
  /** As high as a row: that depends on the width of the page and the reader's size of letters. */
  readonly probe: RefObject<HTMLElement | null>;
  /** The index of a row that stays in the document wherever the page is scrolled to; -1 for none. */
  readonly keep: number;
}

export interface RowsView {
  readonly items: readonly { readonly index: number; readonly top: number }[];
  /** Of all rows together, in px. */
  readonly height: number;
  /** The index of the first row in sight. */
  readonly first: number;
  /** How many rows fit on the screen. */
  readonly perPage: number;
  readonly rows: readonly Order[];
  /** Takes the keyboard to a row, or to one of its controls. */
  go(index: number, control?: string): void;
  /** To be called when the rows are in the document. */
  settleFocus(): void;
}

export type Rows = Virtualizer<Window, HTMLElement>;

export function useWindowRows({ rows, body, probe, keep }: Options): RowsView {
  const [, render] = useReducer<number, void>((turn) => turn + 1, 0);
  const rowPx = useRef(USUAL_ROW_PX);
  const top = useRef(0);
  const head = useRef(0);
  const wanted = useRef<string | null>(null);
  /** Where the keyboard was when it was in the table. */
  const focused = useRef(-1);
  const own = useRef<Rows>(null);

  const options: ConstructorParameters<typeof Virtualizer<Window, HTMLElement>>[0] = {
    count: rows.length,
    getScrollElement: () => window,
    estimateSize: () => rowPx.current,
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    scrollToFn: windowScroll,
    overscan: OVERSCAN,
    scrollMargin: top.current,
    scrollPaddingStart: head.current,
    initialRect: { width: innerWidth, height: innerHeight },
    onChange: () => render(),
    rangeExtractor: (range) => {
      const indexes = defaultRangeExtractor(range);
      if (keep < 0 || keep >= rows.length || indexes.includes(keep)) return indexes;
      return [...indexes, keep].toSorted((a, b) => a - b);
    },
  };
  own.current ??= new Virtualizer(options);
  const virtual = own.current;
  virtual.setOptions(options);

  useLayoutEffect(() => virtual._didMount(), [virtual]);
  useLayoutEffect(() => virtual._willUpdate());
  useLayoutEffect(() => {
    const measure = () => {
      const start = (body.current?.getBoundingClientRect().top ?? 0) + scrollY;
      head.current = headPx(body.current);
      const height = probe.current?.getBoundingClientRect().height || USUAL_ROW_PX;
      if (Math.abs(start - top.current) < 1 && height === rowPx.current) return;
      [top.current, rowPx.current] = [start, height];
      virtual.measure();
      render();
    };
    measure();
    // whatever grows or shrinks above the table moves it
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    if (probe.current) observer.observe(probe.current);
    for (const sibling of body.current?.closest("main")?.parentElement?.children ?? [])
      observer.observe(sibling);
    return () => observer.disconnect();
  }, [virtual, body, probe]);

  const first = virtual.range?.startIndex ?? 0;
  useAnchor(virtual, rows, first);

  return {
    items: virtual.getVirtualItems().map(({ index, start }) => ({ index, top: start - top.current })),
    height: virtual.getTotalSize(),
    first,
    perPage: Math.max(1, Math.floor((innerHeight - head.current) / rowPx.current) - 1),
    rows,
    go(index, control) {
      const order = rows[index];
      if (!order) return;
      activeId.value = order.id;
      wanted.current = `[data-row="${order.id}"]${control ? ` [data-control="${control}"]` : ""}`;
      virtual.scrollToIndex(index, { align: "auto" });
      render();
    },
    settleFocus() {
      const element = body.current;
      if (!element) return;
      const target = wanted.current && element.querySelector<HTMLElement>(wanted.current);
      if (target) {
        wanted.current = null;
        target.focus({ preventScroll: true });
      } else if (focused.current >= 0 && document.activeElement === document.body && rows.length > 0) {
        // the row went, and the keyboard's place with it: to the one that has taken its place
        this.go(Math.min(focused.current, rows.length - 1));
      }
      if (wanted.current === null) focused.current = element.contains(document.activeElement) ? keep : -1;
    },
  };
}

/** What stands above the rows while the page is scrolled. */
function headPx(body: HTMLElement | null): number {
  const head = body?.previousElementSibling;
  if (!head) return 0;
  const { top } = getComputedStyle(head);
  return head.getBoundingClientRect().height + (Number.parseFloat(top) || 0);
}
