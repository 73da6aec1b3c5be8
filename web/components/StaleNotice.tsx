import { connection, staleSince } from "../state/connection.ts";
import { now } from "../state/clock.ts";
import { loadError, loadState, orders, reload } from "../state/orders.ts";
import { clockTime } from "../state/times.ts";
import { duration } from "../state/words.ts";

/** A gap this short heals before it could be read. */
const GRACE_MS = 1500;

/** Says how old what is shown is, while it is not live. */
export function StaleNotice() {
  const state = loadState.value;
  if (state !== "ready" && loadError.value && orders.value.length > 0) {
    return (
      <div class="notice" role="alert">
        <p>
          The orders could not be loaded again, and these may be old. {loadError.value.message}{" "}
          <button type="button" class="button button-small" onClick={reload}>
            Try again
          </button>
        </p>
      </div>
    );
  }
  const since = staleSince.value;
  if (since === null) return state === "reloading" ? <Reloading /> : null;
  const age = now.value - since;
  if (age < GRACE_MS) return null;
  return (
    <div class="notice" data-testid="stale">
      <p>
        Not live. Showing the orders as of {clockTime(since)},{" "}
        <span class="nowrap">{duration(age)} ago.</span> <Why />
      </p>
    </div>
  );
}

function Why() {
  const state = connection.value;
  if (state.name === "offline") return <>What you change is kept and sent when the network is back.</>;
  if (state.name !== "stopped") return null;
  return (
    <>
      {state.reason}
      {state.forbidden && " Add #token=<your token> to this page's address."}
    </>
  );
}

function Reloading() {
  return (
    <div class="notice" data-testid="reloading">
      <p>Loading the orders again: some of these may be old.</p>
    </div>
  );
}
