/** One suite, run over every way to Postgres, each time with an empty table. */
import { afterAll, beforeAll, beforeEach, describe, expect, vi, type Mock } from "vitest";
import type { Order } from "../../protocol/orders.ts";
import type { Access } from "../../worker/access/access.ts";
import { startNeonEndpoint, type NeonEndpoint } from "../support/neon-endpoint.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { openApi, orderIn, type Api } from "./api.ts";

export const laptop = { customer_name: "John Doe", product_name: "Laptop", status: "pending" };

export interface Stage {
  readonly api: Api;
  readonly database: TestDatabase;
  /** The hook that is called after writes. */
  readonly afterWrite: Mock<() => Promise<void>>;
  /** The same API, asked by somebody else. */
  readonly as: (access: Access) => Api;
  /** Creates an order through the API. */
  readonly create: (order?: object) => Promise<Order>;
}

const adapters: Record<string, (url: string, endpoint: NeonEndpoint) => Parameters<typeof openApi>[0]> = {
  "pg over TCP": (url) => ({ DATABASE_URL: url }),
  "pg through Hyperdrive": (url) => ({ HYPERDRIVE: { connectionString: url } as unknown as Hyperdrive }),
  "Neon over HTTP": (url, endpoint) => ({ DATABASE_URL: url, NEON_FETCH_ENDPOINT: endpoint.url }),
};

/** @param tests is given a function that answers with the stage of the test that runs. */
export function describeOverAdapters(title: string, tests: (stage: () => Stage) => void): void {
  describe.each(Object.entries(adapters))(`${title} over %s`, (_name, environment) => {
    let database: TestDatabase;
    let endpoint: NeonEndpoint;
    let stage: Stage;
    beforeAll(async () => {
      database = await createDatabase();
      endpoint = await startNeonEndpoint();
    });
    afterAll(async () => {
      await endpoint.close();
      await database.drop();
    });
    beforeEach(async () => {
      await database.client.query("TRUNCATE public.orders RESTART IDENTITY");
      await database.client.query("TRUNCATE rowcast.idempotency_keys");
      const afterWrite = vi.fn<() => Promise<void>>().mockResolvedValue();
      const api = openApi(environment(database.logins.api, endpoint), afterWrite);
      const create = async (order: object = laptop) => {
        const answer = await api.send("POST", "/api/orders", order);
        expect(answer.status).toBe(201);
        return orderIn(answer);
      };
      const as = (access: Access) => openApi(environment(database.logins.api, endpoint), undefined, access);
      stage = { api, database, afterWrite, as, create };
      return () => api.settle();
    });
    tests(() => stage);
  });
}
