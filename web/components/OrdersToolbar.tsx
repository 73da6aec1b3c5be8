import { now } from "../state/clock.ts";
import { newOrder } from "../state/commands.ts";
import { connection } from "../state/connection.ts";
import { bulkProgress } from "../state/orders-bulk.ts";
import { sort } from "../state/orders-list.ts";
import { counts, isCutOff, loadState, orders, statusFilter, visibleOrders } from "../state/orders.ts";
import type { Column } from "../state/orders-sort.ts";
import { pendingWrites } from "../state/orders-writes.ts";
import { searchText } from "../state/search.ts";
import { selectedCount } from "../state/selection.ts";
import { BulkBar } from "./BulkBar.tsx";
import { SearchIcon } from "./OrdersIcons.tsx";
import { COLUMNS } from "./OrdersHead.tsx";
import { StatusFilter } from "./StatusFilter.tsx";
import { TrafficButtons } from "./TrafficButtons.tsx";

/** What can be done with the orders as a whole. */
export function OrdersToolbar() {
  return (
    <div class="toolbar">
      <div class="toolbar-line">
        <h2 id="orders-title" tabIndex={-1}>
          Orders <Count />
        </h2>
        <Search />
        <TrafficButtons />
        <button type="button" class="button button-primary" onClick={newOrder}>
          New order
        </button>
      </div>
      <div class="toolbar-line toolbar-filter">
        {selectedCount.value > 0 || bulkProgress.value ? (
          <BulkBar />
        ) : (
          <>
            <StatusFilter />
            <Pending />
            <SortBy />
          </>
        )}
      </div>
    </div>
  );
}

function Search() {
  return (
    <div class="search">
      <SearchIcon />
      <input
        id="search"
        type="search"
        aria-label="Search by customer"
        placeholder="Search by customer"
        autoComplete="off"
        spellcheck={false}
        value={searchText.value}
        onInput={(event) => {
          searchText.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape" && searchText.value !== "") {
            event.preventDefault();
            searchText.value = "";
          }
        }}
      />
    </div>
  );
}

/** How many there are, and how many of them are looked at. */
function Count() {
  const state = loadState.value;
  const here = orders.value.length;
  const shown = visibleOrders.value.length;
  const all = counts.value.all;
  const isFiltered = statusFilter.value !== null || searchText.value.trim() !== "";
  const number = (value: number) => value.toLocaleString();
  const text = () => {
    if (state === "loading") return "";
    if (isFiltered)
      return `${number(shown)} of ${isCutOff.value ? `the newest ${number(here)}` : number(all)}`;
    if (state === "filling") return `${number(here)} of ${number(Math.max(all, here))}, loading`;
    return isCutOff.value ? `newest ${number(here)} of ${number(all)}` : number(all);
  };
  return (
    <span class="count" data-testid="count">
      {text()}
    </span>
  );
}

/** Most writes are through before one could read of them. */
const USUAL_MS = 1000;

/** What is written and has not got through. */
function Pending() {
  const writes = pendingWrites.value;
  const [oldest] = writes;
  if (!oldest) return null;
  if (connection.value.name === "live" && now.value - oldest.since < USUAL_MS) return null;
  return (
    <span class="waiting-note" data-testid="unsent">
      {writes.length === 1
        ? "1 change not saved yet"
        : `${writes.length.toLocaleString()} changes not saved yet`}
    </span>
  );
}

/** Where the table has no head to click on. */
function SortBy() {
  const { column, descending } = sort.value;
  return (
    <select
      class="sort-select"
      aria-label="Sort by"
      value={`${column} ${descending ? "down" : "up"}`}
      onChange={(event) => {
        const [by, way] = event.currentTarget.value.split(" ");
        const known = COLUMNS.find((head) => head.column === by)?.column ?? ("id" satisfies Column);
        sort.value = { column: known, descending: way === "down" };
      }}
    >
      {COLUMNS.flatMap(({ column: by, label }) =>
        ["up", "down"].map((way) => (
          <option key={`${by} ${way}`} value={`${by} ${way}`}>
            {label}, {way === "up" ? "ascending" : "descending"}
          </option>
        )),
      )}
    </select>
  );
}
