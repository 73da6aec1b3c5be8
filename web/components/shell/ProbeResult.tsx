import { milliseconds } from "../../state/latency-histogram.ts";
import type { ProbedHop } from "../../state/panel-hops.ts";
import { probeState, testConnection } from "../../state/panel-probe.ts";

/** The test of the whole way, and where its time went. */
export function ProbeResult() {
  const state = probeState.value;
  const isRunning = state.name === "running";
  return (
    <section class="probe" aria-labelledby="probe-title">
      <div class="probe-head">
        <h3 id="probe-title">Whole way of a change</h3>
        <button
          type="button"
          class="button button-small"
          aria-disabled={isRunning}
          onClick={() => void testConnection()}
        >
          {isRunning ? "Testing…" : "Test connection"}
        </button>
      </div>
      <div role="status" data-testid="probe" data-state={state.name}>
        {state.name === "idle" && (
          <p class="panel-detail">
            Sends a change through database, listener, log and hub back to this page.
          </p>
        )}
        {state.name === "failed" && <p class="probe-failure">{state.message}</p>}
        {(state.name === "done" || state.name === "failed") && state.hops.length > 0 && (
          <Hops hops={state.hops} />
        )}
        {state.name === "done" && state.carrier === "log" && (
          <p class="panel-detail">No listener carried it: the log looked itself, which is slower.</p>
        )}
      </div>
    </section>
  );
}

function Hops({ hops }: { readonly hops: readonly ProbedHop[] }) {
  const total = hops.reduce((sum, { ms }) => sum + (ms ?? 0), 0);
  let before = 0;
  return (
    <ol class="hops">
      {hops.map(({ name, what, ms }) => {
        const [left, width] = [before / total, (ms ?? 0) / total];
        before += ms ?? 0;
        return (
          <li key={name} title={what}>
            <span class="hop-name">{name}</span>
            <span class="hop-bar" aria-hidden="true">
              <span style={{ marginLeft: `${left * 100}%`, width: `max(2px, ${width * 100}%)` }} />
            </span>
            <span class="hop-ms">{ms === null ? "not seen" : milliseconds(ms)}</span>
          </li>
        );
      })}
      <li class="hop-total">
        <span class="hop-name">In all</span>
        <span class="hop-bar" aria-hidden="true" />
        <span class="hop-ms">{milliseconds(total)}</span>
      </li>
    </ol>
  );
}
