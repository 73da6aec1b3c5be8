/** Orders made up, for something to look at. Pure, and without a schema library: chance is passed in. */
import type { OrderStatus } from "./orders.ts";

const FIRST = [
  "Ada",
  "Grace",
  "Alan",
  "Katherine",
  "Edsger",
  "Barbara",
  "Donald",
  "Radia",
  "Leslie",
  "Hedy",
  "Tim",
  "Margaret",
];
const LAST = [
  "Lovelace",
  "Hopper",
  "Turing",
  "Johnson",
  "Dijkstra",
  "Liskov",
  "Knuth",
  "Perlman",
  "Lamport",
  "Lamarr",
  "Lee",
  "Hamilton",
];
const PRODUCTS = [
  "Mechanical keyboard",
  "Desk lamp, brass",
  "Espresso machine",
  "Noise-cancelling headphones",
  "Standing desk, oak",
  "Trackball",
  "Field notebook, pack of 3",
  "Ultrawide monitor",
  "Wool blanket",
  "Travel adapter",
];

/** What orders cost, in cents: at least the one, at most the other. */
export interface Prices {
  readonly fromCents: number;
  readonly toCents: number;
}

const PRICES: Prices = { fromCents: 500, toCents: 90_500 };

export interface RandomOrderOptions {
  /** How far it has got; pending when left out. */
  readonly status?: OrderStatus;
  /** 5.00 to 905.00 when left out. */
  readonly prices?: Prices;
}

/**
 * The fields of an order that looks like somebody's.
 *
 * @param random draws from [0, 1).
 */
export function randomOrder(random: () => number, { status = "pending", prices }: RandomOrderOptions = {}) {
  return {
    customer_name: `${pick(FIRST, random)} ${pick(LAST, random)}`,
    product_name: pick(PRODUCTS, random),
    status,
    amount: randomAmount(random, prices),
  };
}

/**
 * An amount with two decimals; most are small ones.
 *
 * @param random draws from [0, 1).
 */
export function randomAmount(random: () => number, { fromCents, toCents }: Prices = PRICES): number {
  return Math.round(fromCents + random() ** 3 * (toCents - fromCents)) / 100;
}

/**
 * One of the list.
 *
 * @param random draws from [0, 1).
 * @throws {RangeError} when the list is empty.
 */
export function pick<T>(list: readonly T[], random: () => number): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new RangeError("nothing to pick from");
  return found;
}
