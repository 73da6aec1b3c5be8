import { effect, signal } from "@preact/signals";
import { client, connection, serverStatus } from "../state/connection.ts";
import { now } from "../state/clock.ts";
import { panelOpen, togglePanel } from "../state/panel.ts";
import { pillWords } from "../state/words.ts";

/** Which way changes come in, in words. Its mark has a form for each state, so that colour is not needed. */
export function Connection() {
  const state = connection.value;
  // the clock is read only where something counts down: otherwise this would render every second
  const time = state.name === "waiting" ? now.value : 0;
  const { text, countdown, tone, detail } = pillWords(state, serverStatus.value?.listener, time);
  const canRetry = state.name === "waiting" || state.name === "stopped";
  return (
    <div class="connection-box">
      {canRetry && (
        <button type="button" class="button button-small" onClick={() => client.reconnect()}>
          Try now
        </button>
      )}
      <button
        type="button"
        id="connection-pill"
        class="connection"
        data-testid="connection"
        data-state={state.name}
        data-tone={tone}
        data-transport={"transport" in state ? state.transport : undefined}
        aria-expanded={panelOpen.value}
        title={detail}
        onClick={togglePanel}
      >
        <span class="connection-mark" aria-hidden="true" />
        <span>
          {text}
          {countdown !== null && <span> in {countdown} s</span>}
        </span>
      </button>
      <p class="sr-only" role="status">
        {said}
      </p>
    </div>
  );
}

/** A state that lasts this long is worth saying: what only passes through would be chatter. */
const SETTLED_MS = 1200;

/** For screen readers: without the countdown, and only what has settled. */
const said = signal("");

let timer: ReturnType<typeof setTimeout> | undefined;
effect(() => {
  const { text } = pillWords(connection.value, serverStatus.value?.listener, 0);
  clearTimeout(timer);
  timer = setTimeout(() => {
    said.value = text;
  }, SETTLED_MS);
});
