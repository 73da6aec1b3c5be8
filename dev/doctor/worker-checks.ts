/** The half of the self-test that asks the Worker. */
import { setTimeout as delay } from "node:timers/promises";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";
import { failed, ok, type Check, type Finding } from "./check.ts";
import { readClock } from "./clocks.ts";
import { describeAnswer, type Health, type Stage } from "./stage.ts";

/** `/api/status` counts no further. */
const MANY_WAITING = 10_000;
/** A listener that has just started is `connecting` for a moment. */
const CONNECTING_TRIES = 6;
const CONNECTING_PAUSE_MS = 500;

export const workerChecks: readonly Check<Stage>[] = [
  {
    name: "WORKER_URL",
    fix: "set it to the Worker's address, http://localhost:8787 or https://rowcast.example.com",
    run({ settings: { workerUrl } }) {
      const isAddress = /^https?:$/.test(URL.parse(workerUrl.value)?.protocol ?? "");
      if (isAddress) return ok(`${workerUrl.from}: ${new URL(workerUrl.value).origin}`);
      return failed(
        "is no address",
        "set it to the Worker's address, http://localhost:8787 or https://rowcast.example.com",
      );
    },
  },
  {
    name: "INGEST_SECRET",
    fix: "set it to the Worker's",
    run({ settings: { secret } }) {
      if (secret !== null) return ok(secret.from);
      return failed(
        "is not set",
        "`npm start` makes one in .dev.vars; that of a deployment is in .deploy.vars (--vars .deploy.vars)",
      );
    },
  },
  {
    name: "Worker",
    needs: ["WORKER_URL"],
    fix: "`npm start` brings up the local one; is the address right?",
    run: findWorker,
  },
  {
    name: "secret",
    needs: ["Worker", "INGEST_SECRET"],
    fix: "the listener's INGEST_SECRET has to be the Worker's",
    run: findSecret,
  },
  {
    name: "variables",
    needs: ["Worker"],
    fix: "wrangler.toml, or .dev.vars: docs/configuration.md",
    run: findMisread,
  },
  {
    name: "listener",
    needs: ["Worker"],
    fix: "start one: `npm run listener` (`npm start` does); its log says what is wrong",
    run: findListener,
  },
];

async function findWorker(stage: Stage): Promise<Finding> {
  const address = new URL("/health", stage.settings.workerUrl.value).href;
  const { status, body } = await stage.ask("/health");
  const health = body as Health | null;
  if (status !== 200 || typeof health?.protocol !== "number") {
    return failed(
      `${address} answers ${status}, and not as Rowcast's Worker does`,
      "is WORKER_URL right, or is something in between?",
    );
  }
  stage.health = health;
  const ask = async () => Date.parse(((await stage.ask("/health")).body as Health).timestamp);
  const clock = await readClock(ask, stage.now);
  stage.clocks.set("Worker", clock);
  if (health.protocol !== PROTOCOL_VERSION) {
    return failed(
      `it speaks protocol ${health.protocol}, this checkout ${PROTOCOL_VERSION}`,
      "deploy this version (`npm run deploy`), or check out the one that runs",
    );
  }
  return ok(`answers within ${Math.max(1, Math.ceil(clock.uncertainty * 2))} ms`);
}

/**
 * With a body that the Worker refuses once it has accepted the secret. Asking for the log's state instead would do what
 * only a listener does: the Worker would take us for one.
 */
async function findSecret(stage: Stage): Promise<Finding> {
  const answer = await stage.ask("/internal/changes", {
    method: "POST",
    headers: { Authorization: `Bearer ${stage.settings.secret?.value}`, "Content-Type": "application/json" },
    body: "{}",
  });
  if (answer.status === 422) return ok("the Worker accepts it");
  if (answer.status === 401 || answer.status === 403) {
    return failed(
      "the Worker does not accept it",
      'INGEST_SECRET has to be the same here, at the listener and at the Worker (npx wrangler secret put INGEST_SECRET --env "")',
    );
  }
  return failed(describeAnswer(answer), "the Worker's log says more: npx wrangler tail");
}

/** Of the Worker's variables, those that are set to nothing they may be. */
async function findMisread(stage: Stage): Promise<Finding> {
  const status = await readStatus(stage);
  if (status === null) return ok("only who may read /api/status is told how they are read: --token");
  const [first, ...others] = status.misread ?? [];
  if (first === undefined) return ok("the Worker reads them as they are meant");
  const more = others.length > 0 ? `; so with ${others.map(({ variable }) => variable).join(", ")}` : "";
  return failed(
    `${first.variable} ${first.message}${more}`,
    "put it right in wrangler.toml (.dev.vars on a laptop), then deploy or start again",
  );
}

interface Status {
  readonly timestamp: string;
  /** A Worker of a version before does not say. */
  readonly misread?: readonly { readonly variable: string; readonly message: string }[];
  readonly listener: { readonly heardAt: string | null };
  readonly lag: { readonly changes: number | null };
}

/**
 * The Worker says when it heard one, the database whether one is connected. One that has just died is still live to the
 * Worker, for up to 35 s; one that reads another database is there and brings nothing.
 */
async function findListener(stage: Stage): Promise<Finding> {
  let state = stage.health?.listener;
  for (let tries = 0; state === "connecting" && tries < CONNECTING_TRIES; tries += 1) {
    await delay(CONNECTING_PAUSE_MS);
    state = ((await stage.ask("/health")).body as Health).listener;
  }
  if (state === "asleep") return ok("asleep, as nobody watches: it wakes with the first who does");
  const connected = await countListeners(stage);
  const status = await readStatus(stage);
  const words = status === null ? "" : describeHeard(status);
  if (state === "down") {
    return connected > 0
      ? failed(
          `${connected} connected to the database, and the Worker hears none`,
          "its log says why: WORKER_URL or INGEST_SECRET is not the Worker's, most likely",
        )
      : failed(
          "the Worker hears none: with clients watching it looks itself every 2 s",
          "start one: `npm run listener` (`npm start` does); its log says what is wrong",
        );
  }
  if (connected === 0) {
    return failed(
      `${state} to the Worker${words}, and none is connected to this database`,
      "is it running, and is its DATABASE_URL this database? `npm run listener` starts one",
    );
  }
  if (state !== "live") {
    return failed(`${state}${words}: it does not deliver`, "its log says why: `npm run listener` shows it");
  }
  const waiting = status?.lag.changes ?? null;
  if (waiting !== null && waiting >= MANY_WAITING) {
    return failed(`live${words}, and ${waiting} changes or more wait`, 'see docs/operations.md, "Lag high"');
  }
  const much =
    waiting === null ? "" : `; ${waiting === 0 ? "nothing waits" : `changes that wait: ${waiting}`}`;
  return ok(`${connected > 1 ? `${connected} of them, ` : ""}live${words}${much}`);
}

/** By the Worker's clock alone. */
function describeHeard({ timestamp, listener: { heardAt } }: Status): string {
  if (heardAt === null) return "";
  return `, heard ${Math.max(0, Math.round((Date.parse(timestamp) - Date.parse(heardAt)) / 1000))} s ago`;
}

/** Sessions by the name that the listener gives itself; NaN when the database cannot be asked. */
async function countListeners(stage: Stage): Promise<number> {
  try {
    const [row] = await stage.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE application_name = 'rowcast listener' AND datname = current_database()`,
    );
    return row?.n ?? Number.NaN;
  } catch {
    return Number.NaN; // which is told by the check of the database
  }
}

/** Null for who may not read it. */
async function readStatus(stage: Stage): Promise<Status | null> {
  const { status, body } = await stage.ask("/api/status", { headers: stage.authorization });
  return status === 200 ? (body as Status) : null;
}
