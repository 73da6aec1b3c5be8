/** What everybody who keeps the orders needs to know of them, without the HTTP client and without a schema library. */
import type { Order } from "../protocol/orders.ts";

/** Ids are int4: all are below this one. */
export const ABOVE_ALL = 2_147_483_648;

/** What an order that is being created is made of, until the server has answered. */
export const EMPTY_ORDER: Order = {
  id: 0,
  customer_name: "",
  product_name: "",
  status: "pending",
  amount: null,
  created_at: "",
  updated_at: "",
};

/**
 * Whether trying again is of no use: the server has understood, and says no. Timeouts and limits pass.
 *
 * @param answer with its HTTP status; 0 when there was none.
 */
export function isFinal({ status }: { readonly status: number }): boolean {
  return status >= 400 && status < 500 && ![408, 425, 429].includes(status);
}
