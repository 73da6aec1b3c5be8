/** The OpenAPI 3.1 description of the HTTP API. Shapes come from the schemas that check the requests; none is written twice. */
import { Change } from "../../protocol/change.ts";
import packageJson from "../../package.json";
import { Order } from "../../protocol/orders.ts";
import { BulkStatus, NewOrder, OrderChange, OrderStats } from "../orders/schemas.ts";
import { orderPaths } from "./openapi-orders.ts";
import { type Json, type Operation, toSchema } from "./openapi-parts.ts";
import { streamPaths } from "./openapi-streams.ts";
import { ProblemBody } from "./problem.ts";

/** Paths to methods to operations: what the docs page is rendered from as well. */
export const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  ...orderPaths,
  ...streamPaths,
};

/** The whole document. */
export function openApiDocument(): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "Rowcast",
      version: packageJson.version,
      description: "Live Postgres rows. /orders… is the same as /api/orders….",
    },
    servers: [{ url: "/" }],
    // Either, unless the deployment lets anybody in (ANONYMOUS).
    security: [{ token: [] }, {}],
    paths,
    components: {
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description:
            "Claims: role (read or write), exp, sub, and perhaps filter, which pins what the bearer may see",
        },
      },
      schemas: {
        Order: toSchema(Order),
        NewOrder: toSchema(NewOrder),
        OrderChange: { ...toSchema(OrderChange), minProperties: 1 },
        BulkStatus: toSchema(BulkStatus),
        OrderStats: toSchema(OrderStats),
        Change: toSchema(Change),
        Problem: toSchema(ProblemBody),
      },
    },
  };
}
