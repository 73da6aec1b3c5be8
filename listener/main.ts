/**
 * The listener: carries every committed change out of Postgres to the ChangeLog. Run it beside the database, once or
 * several times. Exit code 0: asked to stop; 1: a fault of this program, start it again; 2: the configuration is wrong.
 */
import { createBackoff } from "./backoff.ts";
import { ConfigError, maySleep, readConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { holdControl, type Control } from "./control.ts";
import { createChangeLog } from "./deliver.ts";
import { createDoorbell } from "./doorbell.ts";
import { listen } from "./listen.ts";
import { createLog } from "./log.ts";
import { serveMetrics } from "./metrics-server.ts";
import { createMeter } from "./metrics.ts";
import { createReport } from "./report.ts";
import { called, createVigil } from "./vigil.ts";

/** Supervisors give ten seconds, and we promised one. */
const LAST_CALL_MS = 900;

const config = readConfigOrExit();
const log = await createLog(config.LOG_LEVEL);
const now = (): number => performance.now();
const meter = createMeter(createReport(log, now), now);
const { report } = meter;
const doorbell = createDoorbell();
const stop = new AbortController();

for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(0); // Asked twice: no more patience.
    log.info({ signal: name }, "stopping");
    stop.abort(new Error("the listener stops"));
    setTimeout(() => process.exit(0), LAST_CALL_MS).unref();
  });
}
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    // Nothing is lost by dying: the ChangeLog has the cursor, the outbox the changes, a supervisor starts us again.
    log.fatal({ err: error }, event);
    process.exit(1);
  });
}

const sleeps = maySleep(config);
let control: Control | null = null;
const vigil = createVigil({
  idleAfterMs: config.IDLE_AFTER_MS,
  wakeEveryMs: config.WAKE_EVERY_MS,
  log,
  now,
  onIdle: () => doorbell.ring(),
  onState: (state) => control?.say(state),
});
// Without it nobody ever says that nobody watches, and it stays awake.
if (sleeps) {
  control = holdControl({
    url: config.WORKER_URL,
    secret: config.INGEST_SECRET,
    state: called(vigil.state),
    report,
    backoff: createBackoff(Math.random),
    onMessage: (message) => vigil.tell(message.type === "wake" ? { type: "wake" } : message),
    onLost: () => vigil.tell({ type: "deaf" }),
    onMissing: () => vigil.tell({ type: "wake" }),
    signal: stop.signal,
  });
}

if (config.METRICS_PORT > 0) {
  const address = { host: config.METRICS_HOST, port: config.METRICS_PORT };
  const state = () => called(vigil.state);
  await serveMetrics(meter, { ...address, log, state, now }).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(2);
  });
}

log.info(
  { worker: new URL(config.WORKER_URL).host, node: process.version, suspend: sleeps ? "auto" : "prevent" },
  "listener starts",
);
await listen(
  {
    config,
    changeLog: meter.measure(
      createChangeLog({
        url: config.WORKER_URL,
        secret: config.INGEST_SECRET,
        answerTimeoutMs: config.ANSWER_TIMEOUT_MS,
      }),
    ),
    doorbell,
    report,
    postgresBackoff: createBackoff(Math.random),
    workerBackoff: createBackoff(Math.random),
    vigil,
    meter,
    now,
  },
  stop.signal,
);
report.flush();
log.info(report.counters, "stopped");
// Not left to the event loop: a connection that fetch keeps for later would hold it for seconds.
process.exit(0);

function readConfigOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return process.exit(2);
  }
}
