import { describe, expect, it } from "vitest";
import { docs } from "../../worker/http/openapi.ts";
import { PROBLEM_CODES } from "../../worker/http/problem-codes.ts";
import { orders } from "../../worker/orders/routes.ts";

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, unknown>>;
  readonly components: { schemas: Record<string, Record<string, unknown>> };
}

async function readDocument(): Promise<Document> {
  const response = await docs.request("/openapi.json");
  expect(response.status).toBe(200);
  return await response.json();
}

describe("The description of the API", () => {
  it("names every route of the orders, and no other", async () => {
    const { openapi, paths } = await readDocument();
    expect(openapi).toBe("3.1.0");
    const described = Object.entries(paths)
      .filter(([path]) => path.startsWith("/api/orders"))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
    const served = orders.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} /api/orders${path === "/" ? "" : path.replace(":id", "{id}")}`);
    expect(new Set(described)).toEqual(new Set(served));
    for (const path of ["/health", "/api/changes", "/sse", "/ws"])
      expect(paths).toHaveProperty([path, "get"]);
  });

  it("takes its shapes from the schemas that check", async () => {
    const { schemas } = (await readDocument()).components;
    expect(schemas.NewOrder).toMatchObject({
      required: ["customer_name", "product_name"],
      additionalProperties: false,
      properties: { customer_name: { type: "string", maxLength: 255 }, status: { default: "pending" } },
    });
    expect(schemas.OrderChange).toMatchObject({ required: [], minProperties: 1 });
    expect(schemas.BulkStatus).toMatchObject({ properties: { order_ids: { minItems: 1, maxItems: 1000 } } });
    expect(schemas.Problem).toMatchObject({ properties: { code: { enum: Object.keys(PROBLEM_CODES) } } });
  });

  it("refers to nothing that is not there", async () => {
    const document = await readDocument();
    const names = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(5);
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(names));
  });

  it("is also a page, without a script and without anything from elsewhere", async () => {
    const response = await docs.request("/docs");
    expect(response.headers.get("Content-Type")).toMatch(/^text\/html/);
    const page = await response.text();
    expect(page).not.toMatch(/<script|https?:\/\/(?!json-schema)/);
    for (const path of Object.keys((await readDocument()).paths)) expect(page).toContain(path);
    for (const code of Object.keys(PROBLEM_CODES)) expect(page).toContain(`id="${code}"`);
  });
});
