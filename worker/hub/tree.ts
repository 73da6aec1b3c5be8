/**
 * The shape of the whole: how many hubs a region has, and who hands on to whom. A region of few hubs is pushed to by the
 * ChangeLog itself; with more of them, hubs of a higher level stand between and hand on what they are pushed. Everything
 * follows from the number of shards of a region, which the ChangeLog decides and tells. Pure.
 */
import { readNumber } from "../settings.ts";
import { REGIONS, type HubName, type Region } from "./region.ts";

/** So many are pushed to by one hub of a higher level. */
export const FAN_OUT = 30;
/** So many of a region are pushed to by the ChangeLog: with all regions, never more than 30 calls a batch. */
export const TOPS_PER_REGION = Math.floor(30 / REGIONS.length);

/** How many sockets a hub is meant to hold, and how many shards a region has at least. */
export function readShardLimits(env: { readonly HUB_SOCKETS?: string; readonly HUB_SHARDS?: string }) {
  return {
    perHub: readNumber(env, "HUB_SOCKETS"),
    atLeast: readNumber(env, "HUB_SHARDS"),
  };
}

/** A region as the ChangeLog sees it. */
export interface RegionPlan {
  readonly shards: number;
  readonly clients: number;
}

/** Of the regions that have more than one shard; any other has one. */
export type Plan = Readonly<Partial<Record<Region, RegionPlan>>>;

export function shardsOf(plan: Plan, region: Region): number {
  return plan[region]?.shards ?? 1;
}

/** Who hands on to a hub; null for the ChangeLog itself. */
export function parentOf({ region, level, shard }: HubName, plan: Plan): HubName | null {
  if (level >= topLevel(shardsOf(plan, region))) return null;
  return { region, level: level + 1, shard: Math.floor(shard / FAN_OUT) };
}

/** The level of the hubs that the ChangeLog pushes to. */
export function topLevel(shards: number): number {
  let level = 0;
  for (let width = shards; width > TOPS_PER_REGION; width = Math.ceil(width / FAN_OUT)) level += 1;
  return level;
}

/** A region whose hubs are this full on average grows, until they are half as full or less. */
const GROW_AT = 0.8;
/** And shrinks when they are this empty. Far enough from the other that no number of clients does both. */
const SHRINK_AT = 0.2;

/**
 * How many shards a region should have. It doubles and halves, so that when it grows half of a hub's clients move, and
 * no more.
 *
 * @param perHub how many sockets a hub is meant to hold.
 * @param atLeast never fewer; a whole number from 1.
 */
export function resize({ shards, clients }: RegionPlan, perHub: number, atLeast: number): number {
  let next = Math.max(shards, atLeast);
  while (clients > next * perHub * GROW_AT) next *= 2;
  while (next / 2 >= atLeast && clients < next * perHub * SHRINK_AT) next = Math.ceil(next / 2);
  return next;
}

/**
 * How many of its clients a hub should send elsewhere: all, when its shard is not needed any more; what is beyond its
 * share, when it holds more than hubs are meant to while others of its region hold less.
 */
export function surplus({ region, shard }: HubName, plan: Plan, clients: number, perHub: number): number {
  const { shards, clients: all } = plan[region] ?? { shards: 1, clients };
  if (shard >= shards) return clients;
  const share = Math.ceil(all / shards);
  return clients > perHub && clients > share ? clients - share : 0;
}

/** Within how many ms `clients` are to go: so many come back a second as a hub can take in beside its work. */
export function spreadOf(clients: number): number {
  return Math.min(60_000, Math.max(1000, clients * MOVE_MS));
}

const MOVE_MS = 5;
