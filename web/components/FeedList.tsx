import { useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { feed, feedOperation, feedText, type FeedEntry } from "../state/feed.ts";
import { FeedItem } from "./FeedItem.tsx";
import { useFeedRows } from "./FeedRows.ts";

/**
 * The entries in sight. Who has scrolled down reads: what comes then waits above, behind a button, and moves nothing. (The
 * list is then the one that was there when the reading began.)
 */
export function FeedList() {
  const list = useRef<HTMLDivElement>(null);
  const reading = useSignal<readonly FeedEntry[] | null>(null);
  const entries = useComputed(() => reading.value ?? feed.value).value;
  const filtered = useComputed(() => `${feedOperation.value} ${feedText.value}`).value;
  const view = useFeedRows(list, entries);

  useLayoutEffect(() => {
    reading.value = null; // another filter shows another list, from its top
    view.toTop();
  }, [filtered, reading]);

  const newer = reading.value ? countNewer(feed.value, reading.value[0]) : 0;
  if (feed.value.length === 0) return <Empty />;
  return (
    <div class="feed-frame">
      {newer > 0 && (
        <button
          type="button"
          class="button button-primary button-small feed-newer"
          onClick={() => {
            reading.value = null;
            view.toTop();
          }}
        >
          {newer.toLocaleString()} new
        </button>
      )}
      <div
        ref={list}
        class="feed-list"
        tabIndex={0}
        role="group"
        aria-label="Changes, the newest first"
        onScroll={(event) => {
          const isDown = event.currentTarget.scrollTop > 4;
          if (isDown) reading.value ??= feed.peek();
          else reading.value = null;
        }}
      >
        <ol class="feed-items" style={{ height: `${view.height}px` }}>
          {view.items.map(({ index, top }) => {
            const entry = entries[index];
            return (
              entry && (
                <FeedItem
                  key={entry.id}
                  entry={entry}
                  index={index}
                  count={entries.length}
                  top={top}
                  measure={view.measure}
                />
              )
            );
          })}
        </ol>
      </div>
    </div>
  );
}

/** How many came before `first`. */
function countNewer(entries: readonly FeedEntry[], first: FeedEntry | undefined): number {
  const index = entries.findIndex(({ id }) => id <= (first?.id ?? 0));
  return index < 0 ? entries.length : index;
}

function Empty() {
  const isFiltered = feedOperation.value !== null || feedText.value.trim() !== "";
  return (
    <p class="feed-empty">
      {isFiltered
        ? "Nothing here matches. New changes appear as they are committed."
        : "Nothing yet. Changes appear here as they are committed, whoever makes them."}
    </p>
  );
}
