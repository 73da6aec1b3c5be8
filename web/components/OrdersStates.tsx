/** What stands where the table would be, while there is none. */
import { client, connection } from "../state/connection.ts";
import { newOrder } from "../state/commands.ts";
import { loadError, loadState, reload } from "../state/orders.ts";
import { searchText, showAll, statusFilter } from "../state/search.ts";

const SKELETON_ROWS = 8;

export function SkeletonTable() {
  return (
    <div class="skeleton" aria-busy="true">
      <p class="sr-only">Loading the orders</p>
      {Array.from({ length: SKELETON_ROWS }, (_, index) => (
        <div key={index} class="skeleton-row" aria-hidden="true">
          <span />
          <span />
          <span />
          <span />
        </div>
      ))}
    </div>
  );
}

export function EmptyTable() {
  return (
    <div class="blank">
      <h3>No orders yet</h3>
      <p>The first one shows here the moment it is committed, whoever writes it.</p>
      <button type="button" class="button button-primary" onClick={newOrder}>
        Create the first one
      </button>
      <p class="blank-aside">or from psql</p>
      <pre>
        <code>{`INSERT INTO orders (customer_name, product_name)\nVALUES ('Jane Smith', 'Laptop');`}</code>
      </pre>
    </div>
  );
}

export function FailedTable() {
  return (
    <div class="blank" role="alert">
      <h3>The orders could not be loaded</h3>
      <p>{loadError.value?.message ?? "The server's answer could not be read."}</p>
      <button type="button" class="button button-primary" onClick={reload}>
        {loadState.value === "failed" ? "Try again" : "Trying…"}
      </button>
    </div>
  );
}

export function UnreachableTable() {
  const state = connection.value;
  if (state.name === "offline") {
    return (
      <div class="blank">
        <h3>You are offline</h3>
        <p>The orders load as soon as this device has a network again.</p>
      </div>
    );
  }
  if (state.name === "stopped" && state.forbidden) {
    return (
      <div class="blank" role="alert" data-testid="forbidden">
        <h3>A token is needed here</h3>
        <p>{state.reason}</p>
        <p class="blank-aside">
          Add yours to this page's address. It stays in this browser and is sent in no address.
        </p>
        <pre>
          <code>{`${location.origin}/#token=<your token>`}</code>
        </pre>
      </div>
    );
  }
  return (
    <div class="blank">
      <h3>The server cannot be reached</h3>
      <p>
        {state.name === "stopped"
          ? state.reason
          : "It is tried again and again, with a little more patience each time."}
      </p>
      <button type="button" class="button" onClick={() => client.reconnect()}>
        Connect now
      </button>
    </div>
  );
}

export function NothingMatches() {
  const text = searchText.value.trim();
  const status = statusFilter.value;
  return (
    <div class="blank blank-small" data-testid="nothing">
      <p>
        No order {text !== "" && <>of a customer with “{text}” </>}
        {status === null ? "was found" : `is ${status} now`}.
      </p>
      <button type="button" class="button" onClick={showAll}>
        Show all orders
      </button>
    </div>
  );
}
