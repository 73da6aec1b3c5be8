import { client, connection } from "../state/connection.ts";
import { now } from "../state/clock.ts";
import { connectionWords } from "../state/words.ts";

/** Which way changes come in, in words. Its mark has a form for each state, so that colour is not needed. */
export function Connection() {
  const state = connection.value;
  // the clock is read only where something counts down: otherwise this would render every second
  const { text, countdown } = connectionWords(state, state.name === "waiting" ? now.value : 0);
  const canRetry = state.name === "waiting" || state.name === "stopped";
  return (
    <div class="connection-box">
      <div
        role="status"
        class="connection"
        data-testid="connection"
        data-state={state.name}
        data-transport={"transport" in state ? state.transport : undefined}
        title={"reason" in state ? state.reason : undefined}
      >
        <span class="connection-mark" aria-hidden="true" />
        <span>
          {text}
          {countdown !== null && <span aria-hidden="true"> in {countdown} s</span>}
        </span>
      </div>
      {canRetry && (
        <button type="button" class="button button-small" onClick={() => client.reconnect()}>
          Try now
        </button>
      )}
    </div>
  );
}
