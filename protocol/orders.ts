/** The table that Rowcast ships with, as the API and the stream show it. */
import * as v from "valibot";
import { ORDER_STATUSES } from "./order-status.ts";

export const OrderStatus = v.picklist(ORDER_STATUSES, `status is one of ${ORDER_STATUSES.join(", ")}`);
export type OrderStatus = v.InferOutput<typeof OrderStatus>;

export const Order = v.object({
  id: v.number(),
  customer_name: v.string(),
  product_name: v.string(),
  status: OrderStatus,
  /** numeric(10,2): at most 99,999,999.99, which a double holds exactly enough. */
  amount: v.nullable(v.number()),
  created_at: v.string(),
  /** Grows with every update: the row's version, and its ETag. */
  updated_at: v.string(),
});
export type Order = v.InferOutput<typeof Order>;
