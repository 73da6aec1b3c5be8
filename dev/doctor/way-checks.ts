/** What belongs to no part alone: a stream, a change through the whole way, and whether the clocks agree. */
import { failed, ok, skipped, type Check, type Finding, type TimedHop } from "./check.ts";
import { describeOffset, isOff } from "./clocks.ts";
import { describeAnswer, type Stage } from "./stage.ts";
import { openStream, type Stream } from "./stream.ts";

const WAIT_MS = 10_000;
/** A database that wakes, and retries of the write, come before the wait. */
const ANSWER_MS = WAIT_MS + 20_000;
/** The change is on our own stream when it has been at the Worker's, or a moment later. */
const LAST_HOP_MS = 2_000;
const MAX_CLOCK_MS = 2_000;

const TOKEN_FIX =
  "give a token with the role write: --token, ROWCAST_TOKEN, or JWT_SECRET to make one with (--vars .deploy.vars)";

export const wayChecks: readonly Check<Stage>[] = [
  {
    name: "stream",
    needs: ["Worker"],
    fix: "is something in between that lets no WebSocket through? Clients fall back to /sse then",
    run: findStream,
  },
  {
    name: "probe",
    needs: ["Worker"],
    fix: "the Worker's log says more: npx wrangler tail",
    run: findProbe,
  },
  {
    name: "clocks",
    fix: "set the clock that is off: timedatectl set-ntp true",
    run: findClocks,
  },
];

async function findStream(stage: Stage): Promise<Finding> {
  // A socket that is refused does not say why; this does.
  const history = await stage.ask("/api/changes", { headers: stage.authorization });
  if (history.status !== 200) return failed(describeAnswer(history), TOKEN_FIX);
  const startedAt = performance.now();
  const stream = await openStream(stage);
  stream.close();
  return ok(`a WebSocket is welcomed after ${Math.round(performance.now() - startedAt)} ms`);
}

interface Probe {
  readonly id: string;
  readonly missing?: string;
  readonly carrier?: "listener" | "log" | null;
  readonly total_ms: number;
  readonly hops: readonly TimedHop[];
}

async function findProbe(stage: Stage): Promise<Finding> {
  // Without a stream of ours the last hop is missing, and nothing else.
  const stream = await openStream(stage).catch(() => null);
  const before = await readToken(stage);
  try {
    const postedAt = performance.now();
    const answer = await stage.ask(`/api/probe?wait_ms=${WAIT_MS}`, {
      method: "POST",
      headers: stage.authorization,
      patienceMs: ANSWER_MS,
    });
    if (answer.status === 200) {
      const finding = await describeProbe((answer.body as { probe: Probe }).probe, stream, postedAt);
      if (before === null || (await readToken(stage)) !== before) return finding;
      return failed(
        "it came back, and was not written to this database",
        "the address here is not that of the Worker's database",
      );
    }
    if (answer.status === 401 || answer.status === 403) return failed(describeAnswer(answer), TOKEN_FIX);
    if (answer.status === 404)
      return failed("the Worker knows no probe", "deploy this version: `npm run deploy`");
    return describeFailure(answer);
  } finally {
    stream?.close();
  }
}

/** Of the latest probe that this database knows; null where that is not to be seen. */
async function readToken(stage: Stage): Promise<string | null> {
  try {
    const [row] = await stage.query<{ token: string }>("SELECT token FROM rowcast.probes");
    return row?.token ?? null;
  } catch {
    return null; // the checks of the database have told
  }
}

/** The last hop is ours: the way to the Worker and back, by our clock what is left of the whole. */
async function describeProbe(probe: Probe, stream: Stream | null, postedAt: number): Promise<Finding> {
  const cameAt = (await stream?.arrival(probe.id, LAST_HOP_MS)) ?? null;
  if (stream !== null && cameAt === null) {
    return failed(
      `it came back to the Worker after ${probe.total_ms} ms, and not over our own stream`,
      "the Worker's log says more: npx wrangler tail",
    );
  }
  const whole = cameAt === null ? probe.total_ms : cameAt - postedAt;
  const client = cameAt === null ? [] : [{ hop: "client", ms: tenths(Math.max(0, whole - probe.total_ms)) }];
  const hops = [...probe.hops, ...client];
  const detail = `${Math.round(whole)} ms: ${describeHops(hops)}`;
  if (probe.carrier === "log") {
    return failed(
      `${detail}; brought by the log itself, not by a listener`,
      "start a listener: `npm run listener`; without one changes come up to 2 s late",
    );
  }
  return { status: "ok", detail, hops };
}

function describeFailure(answer: { status: number; body: unknown }): Finding {
  const { detail, probe } = (answer.body ?? {}) as { detail?: unknown; probe?: Probe };
  if (probe?.missing === undefined || typeof detail !== "string") {
    return failed(describeAnswer(answer), "see the checks above, and the Worker's log: npx wrangler tail");
  }
  const made = probe.hops.length === 0 ? "" : ` (made: ${describeHops(probe.hops)})`;
  return failed(`lost at the hop "${probe.missing}"${made}`, detail);
}

function describeHops(hops: readonly TimedHop[]): string {
  return hops.map(({ hop, ms }) => `${hop} ${ms}`).join(" + ");
}

/** Each against this machine's; where the others agree, it is this one that is off. */
function findClocks(stage: Stage): Finding {
  const clocks = [...stage.clocks];
  if (clocks.length === 0) return skipped("needs the database or the Worker, see above");
  const words = clocks.map(([whose, reading]) => `${whose} ${describeOffset(reading)}`).join(", ");
  const off = clocks.filter(([, reading]) => isOff(reading, MAX_CLOCK_MS));
  if (off.length === 0) return ok(`against this machine: ${words}`);
  const whose =
    off.length === clocks.length && clocks.length > 1
      ? "this machine's"
      : off.map(([name]) => `the ${name}'s`).join(" and ");
  return failed(
    `against this machine: ${words}`,
    `${whose} clock is off, most likely: timedatectl set-ntp true there. Tokens run out by the Worker's, and lag is shown between the database's and the Worker's`,
  );
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
