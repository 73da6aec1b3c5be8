import type { Operation } from "../../protocol/change.ts";
import { allTables, feedOperation, feedText } from "../state/feed.ts";
import { SearchIcon } from "./OrdersIcons.tsx";

const CHOICES: readonly { readonly operation: Operation | null; readonly label: string }[] = [
  { operation: null, label: "All" },
  { operation: "INSERT", label: "New" },
  { operation: "UPDATE", label: "Changed" },
  { operation: "DELETE", label: "Deleted" },
];

/** Which changes the feed shows. */
export function FeedFilter() {
  return (
    <div class="feed-filter">
      <div class="search">
        <SearchIcon />
        <input
          type="search"
          aria-label="Filter the activity"
          placeholder="Filter"
          autoComplete="off"
          spellcheck={false}
          value={feedText.value}
          onInput={(event) => {
            feedText.value = event.currentTarget.value;
          }}
        />
      </div>
      <div class="feed-filter-line">
        <fieldset class="filter">
          <legend class="sr-only">Operation</legend>
          {CHOICES.map(({ operation, label }) => (
            <label key={label} class="chip">
              <input
                type="radio"
                name="operation"
                class="sr-only"
                checked={feedOperation.value === operation}
                onChange={() => {
                  feedOperation.value = operation;
                }}
              />
              {label}
            </label>
          ))}
        </fieldset>
        <label class="chip feed-tables">
          <input
            type="checkbox"
            class="checkbox"
            checked={allTables.value}
            onChange={(event) => {
              allTables.value = event.currentTarget.checked;
            }}
          />
          All tables
        </label>
      </div>
    </div>
  );
}
