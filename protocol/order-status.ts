/** The statuses of an order, by themselves so that a page can list them without a schema library. */
export const ORDER_STATUSES = [
  "pending",
  "processing",
  "shipped",
  "delivered",
  "completed",
  "cancelled",
] as const;
