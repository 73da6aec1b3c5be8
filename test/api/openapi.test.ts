import { describe, expect, it } from "vitest";
import { Ajv2020 } from "ajv/dist/2020.js";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describedBy, type OpenApi } from "../support/openapi.ts";
import type { Operation } from "../../worker/http/openapi-parts.ts";
import { openApiDocument } from "../../worker/http/openapi-document.ts";
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

  it("offers an Idempotency-Key on every write of orders", async () => {
    const { paths } = (await readDocument()) as unknown as {
      paths: Record<string, Record<string, Operation>>;
    };
    const operations = Object.entries(paths)
      .filter(([path]) => path.startsWith("/api/orders"))
      .flatMap(([, methods]) => Object.entries(methods));
    for (const [method, { parameters = [] }] of operations)
      expect(parameters.some(({ name }) => name === "Idempotency-Key")).toBe(method !== "get");
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

  it("is OpenAPI 3.1 by the schema of its authors", async () => {
    const validate = (document: object) => new Validator().validate(document as Record<string, unknown>);
    const document = await readDocument();
    expect(await validate(document)).toEqual({ valid: true });
    const { "/api/orders": list, ...others } = document.paths;
    const nowhere = { get: { ...(list?.["get"] as object), parameters: [{ name: "limit", in: "nowhere" }] } };
    expect(await validate({ ...document, paths: { ...others, "/api/orders": nowhere } })).toMatchObject({
      valid: false,
    });
  });

  it("says what that schema does not ask: summaries, all parameters of paths, shapes that compile", async () => {
    const { paths, components } = (await readDocument()) as unknown as OpenApi;
    const ajv = new Ajv2020({ strict: false });
    for (const schema of Object.values(components.schemas)) ajv.compile({ ...schema, components });
    for (const [path, methods] of Object.entries(paths)) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const [method, operation] of Object.entries(methods)) {
        const what = `${method} ${path}`;
        const { summary, parameters = [], responses } = operation as unknown as Operation;
        expect(summary, what).not.toBe("");
        const declared = parameters.filter((parameter) => parameter.in === "path" && parameter.required);
        expect(new Set(declared.map(({ name }) => name)), what).toEqual(new Set(inPath));
        expect(new Set(parameters.map((parameter) => `${parameter.in} ${parameter.name}`)).size).toBe(
          parameters.length,
        );
        for (const { description } of Object.values(responses)) expect(description, what).not.toBe("");
      }
    }
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

describe("The check of answers against it", () => {
  const check = describedBy(openApiDocument() as unknown as OpenApi);
  const list = {
    method: "GET",
    path: "/orders",
    status: 200,
    contentType: "application/json; charset=UTF-8",
  };
  const pagination = { limit: 50, offset: 0, total: 0, has_more: false, next_before: null };
  const timestamp = "2026-11-20T23:00:00.123456Z";
  const body = { success: true, data: [], count: 0, pagination, snapshot: "1:1:", timestamp };

  it("lets pass what is described", () => {
    check({ ...list, text: JSON.stringify(body) });
  });

  it.each([
    ["another shape", { ...list, text: JSON.stringify({ ...body, count: "0" }) }, "not as described"],
    [
      "a member too many",
      { ...list, text: JSON.stringify({ ...body, extra: 1 }) },
      "undescribed members: extra",
    ],
    ["another status", { ...list, status: 418, text: "{}" }, "does not know"],
    ["a 500", { ...list, status: 500, text: "{}" }, "does not know"],
    ["another type", { ...list, contentType: "text/html", text: "" }, "described as application/json"],
    ["something where nothing is", { ...list, path: "/api/secret", text: "{}" }, "does not know"],
  ])("stops at %s", (_what, sent, message) => {
    expect(() => check(sent)).toThrow(message);
  });
});
