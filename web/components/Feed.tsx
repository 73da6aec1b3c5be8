import { feed, type FeedEntry, missed, paused, togglePause } from "../state/feed.ts";
import { clockTime, fullTime } from "../state/times.ts";
import { memo } from "./memo.ts";
import { OperationMark } from "./OperationMark.tsx";

/** What happened, newest first, while this page has been open. */
export function Feed() {
  return (
    <section class="pane feed" aria-labelledby="feed-title">
      <div class="pane-head">
        <h2 id="feed-title">Changes</h2>
        <button type="button" class="button button-small" aria-pressed={paused} onClick={togglePause}>
          {paused.value ? `Resume${missed.value > 0 ? ` (${missed.value} new)` : ""}` : "Pause"}
        </button>
      </div>
      {feed.value.length === 0 ? (
        <p class="feed-empty">
          Nothing has changed since this page was opened. Changes appear here as they are committed.
        </p>
      ) : (
        <ol class="feed-list" tabIndex={0} aria-labelledby="feed-title">
          {feed.value.map((entry) => (
            <FeedItem key={entry.id} entry={entry} />
          ))}
        </ol>
      )}
    </section>
  );
}

const FeedItem = memo(({ entry }: { readonly entry: FeedEntry }) => {
  const { operation, subject, name, fields, timestamp, truncated } = entry;
  return (
    <li class="feed-item" data-testid="feed-item" data-operation={operation}>
      <OperationMark operation={operation} />
      <div class="feed-line">
        <span class="feed-operation">{operation}</span>
        <span class="feed-subject">{subject}</span>
        <span class="feed-name">{name}</span>
        <time dateTime={timestamp} title={fullTime(timestamp)}>
          {clockTime(timestamp)}
        </time>
      </div>
      {operation === "UPDATE" ? (
        <dl class="feed-fields">
          {fields.map(({ field, from, to }) => (
            <div key={field}>
              <dt>{field}</dt>
              <dd>
                <s>{from}</s>
                <span class="sr-only"> to </span>
                <span aria-hidden="true"> → </span>
                <ins>{to}</ins>
              </dd>
            </div>
          ))}
        </dl>
      ) : (
        <p class="feed-values">{fields.map(({ to }) => to).join(", ")}</p>
      )}
      {operation === "UPDATE" && fields.length === 0 && !truncated && (
        <p class="feed-values">Nothing but its timestamps</p>
      )}
      {truncated && <p class="feed-values">Too large to be sent along</p>}
    </li>
  );
});
