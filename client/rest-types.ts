/**
 * The Worker's routes as types, for `hc`. Made from worker/app.ts by `vitest run test/client/rest-types.test.ts -u`: the
 * source itself can only be checked beside the types of its own runtime, which browsers and Node do not have.
 */
import type { Hono } from "hono";
import type { BlankEnv, MergeSchemaPath } from "hono/types";
import type { ContentfulStatusCode, StatusCode } from "hono/utils/http-status";

export type AppType = Hono<
  BlankEnv,
  | MergeSchemaPath<
      {
        "/": {
          $get: {
            output: {};
            outputFormat: string;
            status: StatusCode;
            input: {
              query: {
                limit?: string | undefined;
              };
            };
          };
        };
      } & {
        "/:epoch/:range{[0-9]+-[0-9]+}": {
          $get: {
            output: {};
            outputFormat: string;
            status: StatusCode;
            input: {
              param: {
                epoch: string;
              } & {
                range: string;
              };
            };
          };
        };
      },
      "/api/changes"
    >
  | MergeSchemaPath<
      {
        "/": {
          $get: {
            output: {
              status: string;
              timestamp: string;
              connectedClients: number;
              listener: "asleep" | "connecting" | "down" | "live";
              lagMs: number | null;
              position: string;
              protocol: number;
            };
            outputFormat: "json";
            status: 200;
            input: {};
          };
        };
      },
      "/api/health"
    >
  | MergeSchemaPath<
      {
        "/": {
          $get: {
            output: {
              success: true;
              data: {
                id: number;
                customer_name: string;
                product_name: string;
                status: "cancelled" | "completed" | "delivered" | "pending" | "processing" | "shipped";
                amount: number | null;
                created_at: string;
                updated_at: string;
              }[];
              count: number;
              pagination: {
                limit: number;
                offset: number;
                total: number | null;
                has_more: boolean;
                next_before: number | null;
              };
              snapshot: string;
              timestamp: string;
            };
            outputFormat: "json";
            status: ContentfulStatusCode;
            input: {
              query: {
                status?: string | string[] | undefined;
                customer_name?: string | undefined;
                limit?: string | undefined;
                offset?: string | undefined;
                before?: string | undefined;
                total?: "0" | "1" | undefined;
              };
            };
          };
        };
      } & {
        "/stats": {
          $get: {
            output: {
              success: true;
              data: {
                total_orders: number;
                pending_orders: number;
                processing_orders: number;
                shipped_orders: number;
                delivered_orders: number;
                completed_orders: number;
                cancelled_orders: number;
                unique_customers: number;
                last_updated: string | null;
              };
              snapshot: string;
            };
            outputFormat: "json";
            status: ContentfulStatusCode;
            input: {};
          };
        };
      } & {
        "/bulk-status": {
          $patch: {
            output: {
              success: true;
              data: {
                id: number;
                customer_name: string;
                product_name: string;
                status: "cancelled" | "completed" | "delivered" | "pending" | "processing" | "shipped";
                amount: number | null;
                created_at: string;
                updated_at: string;
              }[];
              count: number;
              missing: number[];
              message: string;
              xid: string;
            };
            outputFormat: "json";
            status: ContentfulStatusCode;
            input: {
              json: {
                order_ids: number[];
                status: "cancelled" | "completed" | "delivered" | "pending" | "processing" | "shipped";
              };
            };
          };
        };
      } & {
        "/:id": {
          $get:
            | {
                output: null;
                outputFormat: "body";
                status: 304;
                input: {
                  param: {
                    id: string;
                  };
                };
              }
            | {
                output: {
                  success: true;
                  data: {
                    id: number;
                    customer_name: string;
                    product_name: string;
                    status: "cancelled" | "completed" | "delivered" | "pending" | "processing" | "shipped";
                    amount: number | null;
                    created_at: string;
                    updated_at: string;
                  };
                  snapshot: string;
                };
                outputFormat: "json";
                status: ContentfulStatusCode;
                input: {
                  param: {
                    id: string;
                  };
                };
              };
        };
      } & {
        "/": {
          $post: {
            output: {
              success: true;
              data: {
                id: number;
                customer_name: string;
                product_name: string;
                status: "cancelled" | "completed" | "delivered" | "pending" | "processing" | "shipped";
                amount: number | null;
                created_at: string;
                updated_at: string;
              };
              message: string;
              xid: string;
            };
            outputFormat: "json";
            status: 201;
            input: {
              json: {
                customer_name: string;
                product_name: string;
                status?:
                  "cancelled" | "completed" | "delivered" | "pending" | "processing" | "shipped" | undefined;
                amount?: number | null | undefined;
              };
            };
          };
        };
      } & {
        "/:id": {
          $put: {
            output: {
              success: true;
              data: {
                id: number;
                customer_name: string;
                product_name: string;
                status: "cancelled" | "completed" | "delivered" | "pending" | "processing" | "shipped";
                amount: number | null;
                created_at: string;
                updated_at: string;
              };
              message: string;
              xid: string;
            };
            outputFormat: "json";
            status: ContentfulStatusCode;
            input: {
              param: {
                id: string;
              };
            } & {
              json: {
                customer_name?: string | undefined;
                product_name?: string | undefined;
                status?:
                  "cancelled" | "completed" | "delivered" | "pending" | "processing" | "shipped" | undefined;
                amount?: number | null | undefined;
              };
            };
          };
        };
      } & {
        "/:id": {
          $patch: {
            output: {
              success: true;
              data: {
                id: number;
                customer_name: string;
                product_name: string;
                status: "cancelled" | "completed" | "delivered" | "pending" | "processing" | "shipped";
                amount: number | null;
                created_at: string;
                updated_at: string;
              };
              message: string;
              xid: string;
            };
            outputFormat: "json";
            status: ContentfulStatusCode;
            input: {
              param: {
                id: string;
              };
            } & {
              json: {
                customer_name?: string | undefined;
                product_name?: string | undefined;
                status?:
                  "cancelled" | "completed" | "delivered" | "pending" | "processing" | "shipped" | undefined;
                amount?: number | null | undefined;
              };
            };
          };
        };
      } & {
        "/:id": {
          $delete: {
            output: {
              success: true;
              data: {
                id: number;
                customer_name: string;
                product_name: string;
                status: "cancelled" | "completed" | "delivered" | "pending" | "processing" | "shipped";
                amount: number | null;
                created_at: string;
                updated_at: string;
              };
              message: string;
              xid: string;
            };
            outputFormat: "json";
            status: ContentfulStatusCode;
            input: {
              param: {
                id: string;
              };
            };
          };
        };
      },
      "/api/orders"
    >
  | MergeSchemaPath<
      {
        "/": {
          $post: {
            output: {
              success: true;
              probe: {
                id: string;
                xid: string;
                table: "rowcast.probes";
                position: string;
                carrier: "listener" | "log" | null;
                hub: string;
                total_ms: number;
                hops: {
                  hop: "database" | "hub" | "listener" | "log" | "outbox";
                  ms: number;
                }[];
                clocks: {
                  database: {
                    offset_ms: number;
                    uncertainty_ms: number;
                  };
                  log: {
                    offset_ms: number;
                    uncertainty_ms: number;
                  };
                };
              };
            };
            outputFormat: "json";
            status: 200;
            input: {
              query: {
                wait_ms?: string | undefined;
              };
            };
          };
        };
      },
      "/api/probe"
    >
  | MergeSchemaPath<
      {
        "/": {
          $get: {
            output: {
              success: true;
              status: "degraded" | "ok";
              timestamp: string;
              position: string;
              cursorAgeMs: number | null;
              listener: {
                status: "asleep" | "connecting" | "down" | "live";
                heardAt: string | null;
                controls: ("asleep" | "connecting" | "live")[];
              };
              lag: {
                changes: number | null;
                ms: number | null;
              };
              clients: {
                total: number | null;
                regions: {
                  [x: string]: number;
                };
                hubs: {
                  [x: string]: number;
                };
                shards: {
                  [x: string]: number;
                };
              };
              history: {
                oldest: string;
                changes: number | null;
                bytes: number | null;
                ageMs: number | null;
              };
              database: "asleep" | "awake" | "not_asked" | "unreachable";
              misread: {
                variable: string;
                message: string;
              }[];
              versions: {
                rowcast: string;
                protocol: number;
                deployment: {
                  id: string;
                  tag: string;
                  timestamp: string;
                } | null;
              };
            };
            outputFormat: "json";
            status: 200;
            input: {
              query: {
                probe?: "0" | "1" | undefined;
              };
            };
          };
        };
      },
      "/api/status"
    >
  | MergeSchemaPath<
      {
        "/": {
          $post: {
            output: {
              success: true;
              ticket: string;
              expires_at: string;
            };
            outputFormat: "json";
            status: 201;
            input: {};
          };
        };
      },
      "/api/ticket"
    >
  | MergeSchemaPath<
      {
        "/": {
          $get: {
            output: {
              status: string;
              timestamp: string;
              connectedClients: number;
              listener: "asleep" | "connecting" | "down" | "live";
              lagMs: number | null;
              position: string;
              protocol: number;
            };
            outputFormat: "json";
            status: 200;
            input: {};
          };
        };
      },
      "/health"
    >
>;
