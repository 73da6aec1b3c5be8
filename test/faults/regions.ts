/**
 * `npm run test:regions [-- --clients 2000 --seconds 60 --seed 1]`: nine regions with several shards each, in one workerd,
 * as far from each other as regions are; thousands of clients spread over them; hubs and the log killed at random. The
 * suite's checker looks at everything that its followers in each region receive; all the others are held to frames that
 * follow each other, without a gap, to the end.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createClient, type Client } from "../../client/index.ts";
import { parsePosition } from "../../protocol/position.ts";
import { REGIONS } from "../../worker/hub/region.ts";
import type { Role } from "./cast.ts";
import { EVERYTHING, PENDING, SHELVES } from "./filters.ts";
import { begin } from "./play.ts";
import { dice as diceOf } from "./random.ts";
import { wrongs } from "./verdict.ts";

const { values: options } = parseArgs({
  options: {
    clients: { type: "string", default: "2000" },
    seconds: { type: "string", default: "60" },
    /** In a second. */
    changes: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
  },
});
const CLIENTS = Number(options.clients);
const FOR_MS = Number(options.seconds) * 1000;
const HUB_SOCKETS = Math.max(4, Math.round(CLIENTS / 100));
const AT_ONCE = 60;
const FAULT_EVERY_MS = 1500;
const CHANGES_A_FAULT = Math.ceil((Number(options.changes) * FAULT_EVERY_MS) / 1000);
const PATIENCE_MS = 120_000;

/** The texts of frames are the same for many: each is parsed once. */
function createParse(): (text: string) => unknown {
  const kept = new Map<string, unknown>();
  let chars = 0;
  return (text) => {
    const known = kept.get(text);
    if (known !== undefined) return known;
    const value: unknown = JSON.parse(text);
    kept.set(text, value);
    chars += text.length;
    for (const oldest of kept.keys()) {
      if (chars < 20_000_000) break;
      kept.delete(oldest);
      chars -= oldest.length;
    }
    return value;
  };
}

class Light {
  readonly region: string;
  readonly client: Client;
  welcomes = 0;
  changes = 0;
  resets = 0;
  /** Frames that did not go on where the one before ended, or held fewer or more changes than they say. */
  broken = 0;
  #position: string | null = null;

  constructor(url: string, region: string, parse: (text: string) => unknown) {
    this.region = region;
    this.client = createClient({ url: `${url}/?region=${region}`, transports: ["websocket"], parse });
    this.client.on("welcome", ({ position }) => {
      this.welcomes += 1;
      this.#position ??= position;
    });
    this.client.on("reset", ({ position }) => {
      this.resets += 1;
      this.#position = position;
    });
    this.client.on("changes", ({ from, position, changes }) => {
      const span = (parsePosition(position)?.seq ?? 0) - (parsePosition(from)?.seq ?? 0);
      if (from !== this.#position || changes.length !== span) this.broken += 1;
      this.#position = position;
      this.changes += changes.length;
    });
  }
}

const dice = diceOf(Number(options.seed));
const roles: Role[] = REGIONS.flatMap((region) => [
  { name: `ws ${region}`, way: "websocket" as const, watched: EVERYTHING, region },
  { name: `sse ${region}`, way: "sse" as const, watched: SHELVES, region },
  { name: `either ${region}`, way: "either" as const, watched: PENDING, region },
]);
console.log(
  `seed ${options.seed}; ${CLIENTS} clients and ${roles.length} followers; hubs meant for ${HUB_SOCKETS} sockets`,
);
const play = await begin({
  dice,
  roles,
  connections: 1,
  impatient: true,
  vars: { HUB_SOCKETS: String(HUB_SOCKETS), ALLOW_HUB_OVERRIDE: "region", SUITE_DISTANCES: "true" },
});
const { ground } = play;
const lights: Light[] = [];
let kept = false;
try {
  const parse = createParse();
  const openedAt = performance.now();
  for (let n = 0; n < CLIENTS; n += AT_ONCE) {
    for (let i = n; i < Math.min(CLIENTS, n + AT_ONCE); i += 1)
      lights.push(new Light(ground.url, REGIONS[i % REGIONS.length] ?? "enam", parse));
    while (lights.some(({ welcomes }) => welcomes === 0)) await sleep(20);
  }
  console.log(`connected in ${Math.round((performance.now() - openedAt) / 1000)} s`);

  const status = async () => {
    const answer = await fetch(`${ground.url}/api/status`);
    const body = (await answer.json()) as {
      clients: { total: number; hubs: Record<string, number>; shards: Record<string, number> };
    };
    return body.clients;
  };
  const startedAt = performance.now();
  const faults: Record<string, number> = {};
  while (performance.now() - startedAt < FOR_MS) {
    play.writers.allow(CHANGES_A_FAULT);
    await sleep(FAULT_EVERY_MS);
    const { shards } = await status();
    const region = dice.pick(REGIONS);
    const shard = Math.floor(dice.next() * (shards[region] ?? 1));
    const kind = dice.pick(["hub, sockets cut", "hub, sockets live on", "hub that hands on", "log"]);
    const webSockets = kind === "hub, sockets live on" ? "hibernate" : "close";
    const name = kind === "hub that hands on" ? `${region}/1:0` : `${region}:${shard}`;
    // One that is busy is given up on after 30 s: nobody waits for that.
    if (kind === "log") void ground.worker.evict("ChangeLog", "hibernate");
    else void ground.worker.evict("Hub", webSockets, name);
    faults[kind] = (faults[kind] ?? 0) + 1;
  }
  const { total, hubs, shards } = await status();
  const outcome = await play.end();
  const head = await ground.head();
  const behind = () => lights.filter(({ client }) => client.position !== head);
  for (const until = performance.now() + PATIENCE_MS; behind().length > 0 && performance.now() < until;)
    await sleep(200);

  const sum = (of: (light: Light) => number): number => lights.reduce((all, light) => all + of(light), 0);
  const { verdict } = outcome;
  console.log(`\nshards by region          ${JSON.stringify(shards)}`);
  console.log(`pushed to by the log      ${Object.keys(hubs).length} hubs, for ${total} clients`);
  console.log(`objects taken away        ${JSON.stringify(faults)}`);
  console.log(
    `followers: verdict        ${JSON.stringify({ ...verdict, complaints: verdict.complaints.slice(0, 5) })}`,
  );
  console.log(
    `clients: deliveries       ${sum(({ changes }) => changes)}, after ${sum(({ welcomes }) => welcomes) - CLIENTS} times that they came back`,
  );
  console.log(`clients: broken frames    ${sum(({ broken }) => broken)}`);
  console.log(`clients: resets           ${sum(({ resets }) => resets)}`);
  console.log(`clients: not at the head  ${behind().length}`);
  kept =
    Object.keys(hubs).length <= 30 &&
    sum(({ broken, resets }) => broken + resets) === 0 &&
    behind().length === 0 &&
    wrongs(verdict) === 0 &&
    outcome.unequal.length === 0;
} finally {
  for (const { client } of lights) client.close();
  await play.stop();
}
console.log(kept ? "\nkept" : "\nNOT KEPT");
process.exitCode = kept ? 0 : 1;
