/** `npm run bench`: how fast Rowcast is next to the usual recipe, in one run on this machine. Method: README.md here. */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { startChild } from "./child.ts";
import type { Reply as ClientsReply, Request as ClientsRequest } from "./clients.ts";
import { measure, type Crew, type Load, type Measured } from "./measure.ts";
import { machine, printLatency, printLoad, type Results } from "./report.ts";
import { setStage, type Stage } from "./stage.ts";
import type { Reply as WritersReply, Request as WritersRequest } from "./writers.ts";

/** Whatever hangs: nothing runs on after this. */
const LONGEST_MS = 290_000;

const { values: options } = parseArgs({
  options: { quick: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});
if (options.help) {
  console.log("npm run bench [-- --quick]\n\n--quick  one short round of each measurement");
  process.exit(0);
}
const { quick } = options;
const LATENCY: Load = {
  sockets: 20,
  connections: 1,
  perSecond: 20,
  forMs: quick ? 3_000 : 6_000,
  patienceMs: 5_000,
};
const MANY: Load = { ...LATENCY, sockets: 500 };
const WARM_UP: Load = { ...LATENCY, perSecond: 100, forMs: quick ? 1_500 : 3_000 };
const FULL: Load = {
  sockets: 200,
  connections: 16,
  perSecond: null,
  forMs: quick ? 3_000 : 8_000,
  patienceMs: quick ? 5_000 : 10_000,
};
const LATENCY_ROUNDS = quick ? 1 : 3;
const LOAD_ROUNDS = quick ? 1 : 2;

/** Round after round, the systems in turn: what else the machine does meets all of them. */
async function alternate(stage: Stage, crew: Crew, load: Load, rounds: number): Promise<Results> {
  const systems = [stage.rowcast, stage.baseline, stage.socketio];
  const results = systems.map(({ name }) => ({ name, rounds: [] as Measured[] }));
  for (let round = 0; round < rounds; round += 1) {
    let isBehind = false;
    for (const [i, system] of systems.entries()) {
      const measured = await measure(crew, system, load);
      results[i]?.rounds.push(measured);
      isBehind ||= system !== stage.rowcast && measured.missing > 0;
    }
    if (isBehind) await stage.restartBaselines();
  }
  return results;
}

const before = loadavg()[0] ?? 0;
const startedAt = performance.now();
console.log("starting Postgres, workerd, the listener and the baselines …");
const setting = setStage();
let ending: Promise<void> | null = null;
/** Also while the stage is still being set: then it is taken away when it stands. */
const end = (): Promise<void> => (ending ??= setting.then((stage) => stage.stop()));
const abandon = (code: number, reason: string): void => {
  console.error(reason);
  void end().then(
    () => process.exit(code),
    () => process.exit(code), // a stage that could not be set has cleaned up behind itself
  );
};
const timer = setTimeout(() => abandon(1, `not done after ${LONGEST_MS / 1000} s: given up`), LONGEST_MS);
process.once("SIGINT", () => abandon(130, "stopped"));
process.once("SIGTERM", () => abandon(143, "stopped"));

try {
  const stage = await setting;
  const { guard } = stage;
  const crew: Crew = {
    origin: performance.timeOrigin,
    clients: startChild<ClientsRequest, ClientsReply | null>("./clients.ts", guard),
    writers: startChild<WritersRequest, WritersReply>("./writers.ts", guard),
  };
  console.log(await machine(stage.postgresVersion, before));
  await alternate(stage, crew, WARM_UP, 1);

  const latency = await alternate(stage, crew, LATENCY, LATENCY_ROUNDS);
  printLatency(latency, LATENCY);
  const many = await alternate(stage, crew, MANY, LATENCY_ROUNDS);
  printLatency(many, MANY);

  const bare = await crew.writers.ask(
    { ...FULL, databaseUrl: stage.bareDatabaseUrl, origin: crew.origin, run: 0, forMs: FULL.forMs / 2 },
    30_000,
  );
  const bareCommits = bare.commits.reduce((sum, commits) => sum + commits, 0);
  const load = await alternate(stage, crew, FULL, LOAD_ROUNDS);
  printLoad(load, FULL, (bareCommits * 1000) / (bare.lastCommitMs - bare.firstSentMs));
  console.log(`done in ${Math.round((performance.now() - startedAt) / 1000)} s`);
  crew.clients.kill();
  crew.writers.kill();
} finally {
  clearTimeout(timer);
  await end();
}
