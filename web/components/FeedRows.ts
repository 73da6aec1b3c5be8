/** Which entries are in sight. They differ in height, so each is measured when it comes into the document. */
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useLayoutEffect, useReducer, useRef } from "preact/hooks";
import type { FeedEntry } from "../state/feed.ts";

/** Most entries have two lines. */
const USUAL_PX = 56;
const OVERSCAN = 4;

export interface FeedView {
  readonly items: readonly { readonly index: number; readonly top: number }[];
  readonly height: number;
  readonly measure: (element: HTMLElement | null) => void;
  /** By the virtualizer, which would otherwise take it for a jump of the page's and go back. */
  readonly toTop: () => void;
}

export function useFeedRows(list: RefObject<HTMLElement | null>, entries: readonly FeedEntry[]): FeedView {
  const [, render] = useReducer<number, void>((turn) => turn + 1, 0);
  const own = useRef<Virtualizer<HTMLElement, HTMLElement>>(null);
  const options: ConstructorParameters<typeof Virtualizer<HTMLElement, HTMLElement>>[0] = {
    count: entries.length,
    getScrollElement: () => list.current,
    estimateSize: () => USUAL_PX,
    getItemKey: (index) => entries[index]?.id ?? index,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    overscan: OVERSCAN,
    indexAttribute: "data-index",
    initialRect: { width: 320, height: 600 },
    onChange: () => render(),
  };
  own.current ??= new Virtualizer(options);
  const virtual = own.current;
  virtual.setOptions(options);
  useLayoutEffect(() => virtual._didMount(), [virtual]);
  useLayoutEffect(() => virtual._willUpdate());

  // sizes of entries that are kept no more would be kept for ever
  if (virtual.itemSizeCache.size > 2 * entries.length + 500) virtual.measure();

  return {
    items: virtual.getVirtualItems().map(({ index, start }) => ({ index, top: start })),
    height: virtual.getTotalSize(),
    measure: virtual.measureElement,
    toTop: () => virtual.scrollToOffset(0),
  };
}
