import type { FeedEntry } from "../state/feed.ts";
import { clockTime, fullTime } from "../state/times.ts";
import { memo } from "./memo.ts";
import { OperationMark } from "./OperationMark.tsx";
import { ArrowIcon, EyeIcon } from "./OrdersIcons.tsx";

interface Props {
  readonly entry: FeedEntry;
  readonly index: number;
  readonly count: number;
  /** Where it stands, in px. */
  readonly top: number;
  readonly measure: (element: HTMLElement | null) => void;
}

/** One change: what happened to whom, from what to what, when, and before how many eyes. */
export const FeedItem = memo(({ entry, index, count, top, measure }: Props) => {
  const { change, words, watching } = entry;
  const { operation, timestamp } = change;
  return (
    <li
      ref={measure}
      class="feed-item"
      style={{ transform: `translateY(${top}px)` }}
      data-testid="feed-item"
      data-operation={operation}
      data-index={index}
      aria-setsize={count}
      aria-posinset={index + 1}
    >
      <OperationMark operation={operation} />
      <div class="feed-line">
        <span class="feed-subject">{words.subject}</span>
        <span class="feed-name">{words.name}</span>
        {watching !== null && <Watching count={watching} />}
        <time dateTime={timestamp} title={fullTime(timestamp)}>
          {clockTime(timestamp)}
        </time>
      </div>
      <What entry={entry} />
    </li>
  );
});

function Watching({ count }: { readonly count: number }) {
  return (
    <span class="feed-seen" title={`Seen by ${count.toLocaleString()} when it came`}>
      <EyeIcon />
      {count.toLocaleString()}
      <span class="sr-only"> watching</span>
    </span>
  );
}

function What({ entry: { change, words } }: { readonly entry: FeedEntry }) {
  const { operation } = change;
  const { fields } = words;
  if (change.truncated === true) return <p class="feed-values">Too large to be sent along</p>;
  if (operation !== "UPDATE") return <p class="feed-values">{fields.map(({ to }) => to).join(", ")}</p>;
  if (fields.length === 0) return <p class="feed-values">Nothing but its timestamps</p>;
  return (
    <dl class="feed-fields">
      {fields.map(({ field, from, to }) => (
        <div key={field}>
          <dt>{field}</dt>
          <dd>
            <s>{from}</s>
            <span class="sr-only"> to </span>
            <ArrowIcon />
            <ins>{to}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}
