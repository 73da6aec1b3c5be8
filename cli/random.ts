/** Orders made up, for something to look at. */
import type { OrderFields } from "./api.ts";

const FIRST = ["Ada", "Grace", "Alan", "Katherine", "Edsger", "Barbara", "Donald", "Radia", "Leslie", "Hedy"];
const LAST = ["Lovelace", "Hopper", "Turing", "Johnson", "Dijkstra", "Liskov", "Knuth", "Perlman", "Lamarr"];
const PRODUCTS = [
  "Mechanical keyboard",
  "Desk lamp",
  "Espresso machine",
  "Noise-cancelling headphones",
  "Standing desk",
  "Trackball",
  "Field notebook, pack of 3",
  "Ultrawide monitor",
  "Wool blanket",
];

/** @param random draws from [0, 1). */
export function randomOrder(random: () => number): OrderFields {
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? "";
  return {
    customer_name: `${pick(FIRST)} ${pick(LAST)}`,
    product_name: pick(PRODUCTS),
    status: "pending",
    // Mostly small ones.
    amount: Math.round(500 + random() ** 3 * 90_000) / 100,
  };
}
