import { serverStatus } from "../state/connection.ts";
import { clearFeed, feed, feedAsJsonLines, missed, paused, togglePause } from "../state/feed.ts";
import { FeedFilter } from "./FeedFilter.tsx";
import { FeedList } from "./FeedList.tsx";
import { EyeIcon } from "./OrdersIcons.tsx";

/** What happened, newest first, while this page has been open. */
export function Feed() {
  return (
    <section class="pane feed" aria-labelledby="feed-title">
      <div class="feed-head">
        <div class="feed-head-line">
          <h2 id="feed-title">Activity</h2>
          <Watching />
          <div class="feed-actions">
            <button
              type="button"
              class="button button-quiet button-small"
              aria-pressed={paused}
              onClick={togglePause}
            >
              {paused.value
                ? `Resume${missed.value > 0 ? ` (${missed.value.toLocaleString()} new)` : ""}`
                : "Pause"}
            </button>
            <button type="button" class="button button-quiet button-small" onClick={clearFeed}>
              Clear
            </button>
            <button
              type="button"
              class="button button-quiet button-small"
              aria-disabled={feed.value.length === 0}
              title="A line of JSON for each change that is shown"
              onClick={exportFeed}
            >
              Export
            </button>
          </div>
        </div>
        <FeedFilter />
      </div>
      <FeedList />
    </section>
  );
}

/** Who sees the changes, as they come. */
function Watching() {
  const count = serverStatus.value?.connectedClients;
  if (count === undefined) return null;
  return (
    <span class="feed-watching" title="People who see these changes now">
      <EyeIcon />
      <span aria-hidden="true">{count.toLocaleString()}</span>
      <span class="sr-only">
        {count === 1 ? "1 person sees" : `${count.toLocaleString()} people see`} these changes now
      </span>
    </span>
  );
}

function exportFeed(): void {
  const text = feedAsJsonLines();
  if (text === "") return;
  const address = URL.createObjectURL(new Blob([text], { type: "application/jsonl" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `rowcast-changes-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.jsonl`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000); // by then the browser has read it
}
