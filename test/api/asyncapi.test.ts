/** The description of the streams: AsyncAPI by its own schema, of every frame there is. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { Ajv } from "ajv";
import addFormatsModule from "ajv-formats";
import { beforeAll, describe, expect, it } from "vitest";
import { ClientMessage, ServerMessage } from "../../protocol/messages.ts";
import { docs } from "../../worker/http/openapi.ts";

// The module is CommonJS: what is default depends on who loads it.
const addFormats = addFormatsModule as unknown as (ajv: Ajv) => void;

interface Document {
  readonly asyncapi: string;
  readonly channels: Record<string, { messages: Record<string, unknown> }>;
  readonly components: { messages: Record<string, { payload: Record<string, unknown> }> };
}

let document: Document;
beforeAll(async () => {
  const response = await docs.request("/asyncapi.json");
  expect(response.status).toBe(200);
  document = await response.json();
});

const typesOf = (variant: typeof ServerMessage | typeof ClientMessage) =>
  variant.options.map(({ entries }) => entries.type.literal as string);

describe("The description of the streams", () => {
  it("is AsyncAPI 3", async () => {
    const path = createRequire(import.meta.url).resolve("@asyncapi/specs/schemas/3.0.0-without-$id.json");
    const schema = JSON.parse(await readFile(path, "utf8")) as object;
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats(ajv);
    const validate = ajv.compile(schema);
    expect(validate(document), ajv.errorsText(validate.errors)).toBe(true);
    expect(validate({ ...document, channels: { ws: { address: 1 } } })).toBe(false);
  });

  it("names every frame of the protocol, and the two that are no JSON", () => {
    const frames = Object.keys(document.channels["ws"]?.messages ?? {});
    expect(new Set(frames)).toEqual(
      new Set([...typesOf(ServerMessage), ...typesOf(ClientMessage), "ping", "pong"]),
    );
  });

  it("refers to nothing that is not there", () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, ref = ""]) => ref);
    expect(refs.length).toBeGreaterThan(20);
    for (const ref of refs) {
      const found = ref
        .split("/")
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);
      expect(found, ref).toBeDefined();
    }
  });
});
