/** What a page pays for the SDK. */
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";
import { PROJECT_DIR } from "../../dev/config.ts";

interface Bundle {
  readonly bytes: number;
  readonly modules: readonly string[];
}

/** Only what `source` uses is in it: what is not used has to go. Frameworks are the page's own. */
async function bundle(source: string): Promise<Bundle> {
  const entry = "\0entry.js";
  const built = await build({
    root: PROJECT_DIR,
    configFile: false,
    logLevel: "silent",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === "entry" ? entry : null),
        load: (id) => (id === entry ? source : null),
      },
    ],
    build: {
      write: false,
      rollupOptions: {
        input: "entry",
        external: FRAMEWORKS,
        preserveEntrySignatures: "strict",
        output: { format: "es" },
      },
    },
  });
  const chunks = [built].flat().flatMap((result) => ("output" in result ? result.output : []));
  expect(chunks).toHaveLength(1);
  const [chunk] = chunks;
  if (chunk?.type !== "chunk") throw new Error("nothing was built");
  const modules = Object.entries(chunk.modules).filter(([, { renderedLength }]) => renderedLength > 0);
  return { bytes: gzipSync(chunk.code, { level: 9 }).length, modules: modules.map(([id]) => id) };
}

const FRAMEWORKS = ["react", "@preact/signals", "@tanstack/db"];

const moduleAt = (path: string): string => JSON.stringify(join(PROJECT_DIR, path));
const SDK = JSON.stringify(join(PROJECT_DIR, "client/index.ts"));

/** With everything for WebSocket and SSE. A change that needs more says what for. */
const CLIENT_BYTES = 8_000;
/** With live collections, their writes and queries on top. (100 bytes are for lean frames, a third less on every wire.) */
const ALL_BYTES = 13_800;

test("the client is small, brings no schema library along, and nothing of live collections", async () => {
  const { bytes, modules } = await bundle(`export { createClient } from ${SDK};`);
  console.info(`createClient: ${bytes} bytes, gzipped`);
  expect(modules.filter((id) => /valibot|client\/(collection|rows|adapters|rest)/.test(id))).toEqual([]);
  expect(bytes).toBeLessThanOrEqual(CLIENT_BYTES);
});

test("live collections bring nothing of the connection along", async () => {
  const { bytes, modules } = await bundle(`export { liveCollection } from ${SDK};`);
  console.info(`liveCollection: ${bytes} bytes, gzipped`);
  expect(
    modules.filter((id) => /valibot|eventsource|client\/(client|machine|sse|websocket)/.test(id)),
  ).toEqual([]);
});

test("with live collections, optimistic writes and queries it is still small", async () => {
  const { bytes, modules } = await bundle(`export * from ${SDK};`);
  console.info(`both: ${bytes} bytes, gzipped`);
  expect(modules.filter((id) => id.includes("valibot"))).toEqual([]);
  expect(bytes).toBeLessThanOrEqual(ALL_BYTES);
});

/** Each without what it stands on: the SDK, and its framework. */
test.each([
  ["react", 200],
  ["preact", 200],
  ["tanstack-db", 900],
])("the adapter for %s is small", async (name, most) => {
  const { bytes } = await bundle(
    `export * from ${SDK}; export * from ${moduleAt(`client/adapters/${name}.ts`)};`,
  );
  const { bytes: without } = await bundle(`export * from ${SDK};`);
  console.info(`${name}: ${bytes - without} bytes, gzipped`);
  expect(bytes - without).toBeLessThanOrEqual(most);
});

test("the typed API client brings nothing of the Worker along, whose types it has, nor live collections", async () => {
  const { bytes, modules } = await bundle(`export * from ${moduleAt("client/rest.ts")};`);
  const ours = modules.filter((id) => !id.includes("/node_modules/") && id.startsWith(PROJECT_DIR));
  expect(ours.map((id) => relative(PROJECT_DIR, id)).toSorted()).toEqual([
    "client/collection/write.ts",
    "client/orders.ts",
    "client/rest.ts",
    "client/token.ts",
    "protocol/close-codes.ts",
  ]);
  console.info(`createApi: ${bytes} bytes, gzipped`);
  expect(bytes).toBeLessThanOrEqual(3_000);
});
