/** Something to look at, for demonstrations: orders made up here, and a little shop that is busy with them. */
import { signal } from "@preact/signals";
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import { randomAmount, randomOrder } from "../../protocol/random-order.ts";
import { findOrder } from "./orders.ts";
import { addOrder, changeOrder, removeOrder } from "./orders-writes.ts";

/** On average between two things that happen. */
const EVERY_MS = 400;
/** So that a forgotten tab does not fill somebody's table. */
const LASTS_MS = 10 * 60_000;
/** The little shop holds no more than these. */
const MAX_OWN = 60;

export const isTraffic = signal(false);

let timer: ReturnType<typeof setTimeout> | undefined;
let until = 0;
/** Only what the traffic itself has made does it change or delete. */
let own: number[] = [];

/** One new order. */
export function addRandomOrder(): void {
  addOrder(randomOrder(Math.random));
}

export function toggleTraffic(): void {
  isTraffic.value = !isTraffic.value;
  clearTimeout(timer);
  if (!isTraffic.value) return;
  until = Date.now() + LASTS_MS;
  step();
}

function step(): void {
  if (Date.now() > until) {
    isTraffic.value = false;
    return;
  }
  own = own.filter((id) => findOrder(id) !== undefined);
  const id = own[Math.floor(Math.random() * own.length)];
  const dice = Math.random();
  if (id === undefined || (dice < 0.35 && own.length < MAX_OWN)) create();
  else if (dice < 0.9 || own.length < 5) advance(id);
  else removeOrder(id);
  timer = setTimeout(step, EVERY_MS * (0.3 + 1.4 * Math.random()));
}

function create(): void {
  addOrder(randomOrder(Math.random)).done.then(
    (order) => {
      if (order) own.push(order.id);
    },
    () => {
      isTraffic.value = false; // refused: told already, and the next would be too
      clearTimeout(timer);
    },
  );
}

/** An order gets on; one that has arrived gets another amount. */
function advance(id: number): void {
  const order = findOrder(id);
  const next = order && ORDER_STATUSES[ORDER_STATUSES.indexOf(order.status) + 1];
  changeOrder(id, next && next !== "cancelled" ? { status: next } : { amount: randomAmount(Math.random) });
}
