/**
 * `node bench/scale.ts`: what many clients need, computed from the rules by which the hubs are laid out (worker/hub/tree.ts),
 * from figures measured here (bench/crowd.ts) and from the vendors' prices. docs/SCALE.md holds what it prints.
 */
import { REGIONS, type HubName, type Region } from "../worker/hub/region.ts";
import { parentOf, resize, type Plan } from "../worker/hub/tree.ts";

const CLIENTS = [10_000, 100_000, 1_000_000, 10_000_000];
const CHANGES_PER_SECOND = [1, 10, 100];
/** HUB_SOCKETS, and PUSH_EVERY_MS as docs/SCALE.md recommends it for each rate. */
const PER_HUB = 4000;
const PUSH_EVERY_MS: Readonly<Record<number, number>> = { 1: 8, 10: 8, 100: 100 };

/** A change as JSON, in a frame of its own; what more of them in a frame add. */
const CHANGE_BYTES = 450;
/** bench/crowd.ts: a change to 5,000 clients took 147 ms, clients and all on two cores. */
const SEND_MS = 147 / 5000;
/** What a client acknowledges at once. */
const ACK_BYTES = 65_536;
const PING_S = 25;
/** The hubs' own check-in. */
const CHECK_IN_S = 60;
const MONTH_S = 30 * 86_400;

const PRICE = {
  plan: 5,
  /** Of the Worker: a POST of the listener. */
  request: 0.3e-6,
  requestsIncluded: 10e6,
  /** Of an object: a call, a connection, an alarm; twenty messages that come in. */
  objectRequest: 0.15e-6,
  objectRequestsIncluded: 1e6,
  gigabyteSecond: 12.5e-6,
  gigabyteSecondsIncluded: 400e3,
  rowWritten: 1e-6,
  rowsIncluded: 50e6,
  neonHour: 0.106,
  listener: 5,
};
const OBJECT_GB = 0.128;

interface Shape {
  readonly hubs: number;
  readonly relays: number;
  /** Calls that the ChangeLog makes for a batch. */
  readonly calls: number;
  readonly levels: number;
}

function shapeOf(clients: number): Shape {
  const each = clients / REGIONS.length;
  const shards = resize({ shards: 1, clients: each }, PER_HUB, 1);
  const plan: Plan = Object.fromEntries(REGIONS.map((region) => [region, { shards, clients: each }]));
  const relays = new Set<string>();
  let [calls, levels] = [0, 0];
  const climb = (region: Region, shard: number): void => {
    let steps = 1;
    for (let name: HubName = { region, level: 0, shard }; ; steps += 1) {
      const parent = parentOf(name, plan);
      if (parent === null) {
        if (steps === 1) calls += 1;
        break;
      }
      relays.add(JSON.stringify(parent));
      name = parent;
    }
    levels = Math.max(levels, steps);
  };
  for (const region of REGIONS) for (let shard = 0; shard < shards; shard += 1) climb(region, shard);
  const tops = [...relays].filter((name) => parentOf(JSON.parse(name) as HubName, plan) === null).length;
  return { hubs: shards * REGIONS.length, relays: relays.size, calls: calls + tops, levels };
}

const million = (number: number): string =>
  (number / 1e6).toLocaleString("en", { maximumFractionDigits: number < 1e8 ? 1 : 0 });
const whole = (number: number): string => Math.round(number).toLocaleString("en");
const above = (number: number, included: number): number => Math.max(0, number - included);

console.log(
  "| clients | changes/s | hubs + relays | log's calls a batch | frames out/s | busiest hub | requests to objects, million a month | rows written, million | GB-s, thousand | Cloudflare, USD | with Neon and listener |",
);
console.log(`| ${Array.from({ length: 11 }, () => "---").join(" | ")} |`);
for (const clients of CLIENTS) {
  const { hubs, relays, calls } = shapeOf(clients);
  for (const rate of CHANGES_PER_SECOND) {
    const batches = Math.min(rate, 1000 / (PUSH_EVERY_MS[rate] ?? 8));
    const posts = Math.min(rate, 60); // under load the listener sends together what came while it sent
    const inHub = clients / hubs;
    // A hub that is not done with one push when the next is due gets that one later, with more in it.
    const frames = Math.min(batches, 1000 / (inHub * SEND_MS));
    const acks = (clients * rate * CHANGE_BYTES) / ACK_BYTES / 20;
    const pings = clients / PING_S / 20;
    const objectRequests =
      (posts + frames * (hubs + relays) + acks + pings + (hubs + relays) / CHECK_IN_S + 1 / PING_S) * MONTH_S;
    const workerRequests = (posts + 1 / PING_S) * MONTH_S;
    const rows = posts * 2 * MONTH_S;
    const gigabyteSeconds = (1 + hubs + relays) * OBJECT_GB * MONTH_S;
    const cloudflare =
      PRICE.plan +
      PRICE.request * above(workerRequests, PRICE.requestsIncluded) +
      PRICE.objectRequest * above(objectRequests, PRICE.objectRequestsIncluded) +
      PRICE.rowWritten * above(rows, PRICE.rowsIncluded) +
      PRICE.gigabyteSecond * above(gigabyteSeconds, PRICE.gigabyteSecondsIncluded);
    const neonCu = rate > 10 ? 1 : 0.25;
    const neon = PRICE.neonHour * neonCu * 730;
    const busy = (frames * inHub * SEND_MS) / 1000;
    const cells = [
      whole(clients),
      String(rate),
      `${whole(hubs)} + ${whole(relays)}`,
      String(calls),
      whole(clients * frames),
      `${whole(inHub)} clients, ${Math.round(busy * 100)} %`,
      million(objectRequests),
      million(rows),
      whole(gigabyteSeconds / 1000),
      whole(cloudflare),
      whole(cloudflare + neon + PRICE.listener),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}
