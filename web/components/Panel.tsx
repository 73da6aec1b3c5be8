import { useLayoutEffect, useRef } from "preact/hooks";
import { client, connection, forceSse, serverStatus, sseForced, staleSince } from "../state/connection.ts";
import { errors } from "../state/connection-log.ts";
import { now } from "../state/clock.ts";
import { latencySummary } from "../state/latency.ts";
import { milliseconds } from "../state/latency-histogram.ts";
import { panelOpen } from "../state/panel.ts";
import { clockTime } from "../state/times.ts";
import { duration, LISTENER_STATES, pillWords } from "../state/words.ts";
import { CloseIcon } from "./shell/icons.tsx";
import { ProbeResult } from "./shell/ProbeResult.tsx";

/** All that is known of the connection, and what can be done about it. The page goes on beside it. */
export function Panel() {
  const panel = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    panel.current?.focus();
    return () => document.getElementById("connection-pill")?.focus();
  }, []);
  return (
    <aside
      ref={panel}
      id="connection-panel"
      class="panel"
      tabIndex={-1}
      aria-labelledby="panel-title"
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <div class="panel-head">
        <h2 id="panel-title">Connection</h2>
        <button type="button" class="icon-button" aria-label="Close the connection panel" onClick={close}>
          <CloseIcon />
        </button>
      </div>
      <Now />
      <div class="panel-actions">
        <button type="button" class="button" onClick={() => client.reconnect()}>
          Reconnect
        </button>
        <ForceSse />
      </div>
      <Facts />
      <ProbeResult />
      <Errors />
    </aside>
  );
}

function close(): void {
  panelOpen.value = false;
}

function Now() {
  const state = connection.value;
  const { text, countdown, detail, tone } = pillWords(state, serverStatus.value?.listener, now.value);
  return (
    <p class="panel-now" data-tone={tone}>
      <span class="connection-mark" aria-hidden="true" />
      <span>
        <b>
          {text}
          {countdown !== null && ` in ${countdown} s`}
        </b>
        <span class="panel-detail">{detail}</span>
      </span>
    </p>
  );
}

function ForceSse() {
  const forced = sseForced.value;
  if (forced === null) return <p class="panel-detail">This address asks for WebSocket only.</p>;
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        checked={forced}
        onChange={(event) => forceSse(event.currentTarget.checked)}
      />
      Use SSE only
    </label>
  );
}

function Facts() {
  const status = serverStatus.value;
  const since = staleSince.value;
  const { median, most } = latencySummary.value;
  void now.value; // the position moves with each batch: once a second is often enough
  const facts: readonly (readonly [string, string | null])[] = [
    [
      "Up to date",
      since === null
        ? client.position === null
          ? null
          : "yes"
        : `as of ${clockTime(since)}, ${duration(now.value - since)} ago`,
    ],
    ["Position", client.position],
    ["Listener", status && LISTENER_STATES[status.listener]],
    ["Commit to log", status?.lagMs == null ? null : milliseconds(status.lagMs)],
    [
      "Commit to screen",
      median === null || most === null ? null : `${milliseconds(median)}, 95 % within ${milliseconds(most)}`,
    ],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value ?? "not known yet"}</dd>
        </div>
      ))}
    </dl>
  );
}

function Errors() {
  const list = errors.value;
  return (
    <section class="panel-errors" aria-labelledby="errors-title">
      <h3 id="errors-title">Last errors</h3>
      {list.length === 0 ? (
        <p class="panel-detail">None since this page was opened.</p>
      ) : (
        <ol>
          {list.map(({ id, at, text, times }) => (
            <li key={id}>
              <time dateTime={new Date(at).toISOString()}>{clockTime(at)}</time>
              <span>
                {text}
                {times > 1 && <span class="count"> ({times} times)</span>}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
