/** What a page pays for the SDK. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";
import { PROJECT_DIR } from "../../dev/config.ts";

interface Bundle {
  readonly bytes: number;
  readonly modules: readonly string[];
}

/** Only what `source` uses is in it: what is not used has to go. */
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
      rollupOptions: { input: "entry", preserveEntrySignatures: "strict", output: { format: "es" } },
    },
  });
  const chunks = [built].flat().flatMap((result) => ("output" in result ? result.output : []));
  expect(chunks).toHaveLength(1);
  const [chunk] = chunks;
  if (chunk?.type !== "chunk") throw new Error("nothing was built");
  return { bytes: gzipSync(chunk.code, { level: 9 }).length, modules: chunk.moduleIds };
}

const SDK = JSON.stringify(join(PROJECT_DIR, "client/index.ts"));

/** With everything for WebSocket and SSE. 7,736 when this was written. A change that needs more says what for. */
const CLIENT_BYTES = 8_000;
/** With live collections and their writes on top. 12,056 when this was written. */
const ALL_BYTES = 12_300;

test("the client is small, brings no schema library along, and nothing of live collections", async () => {
  const { bytes, modules } = await bundle(`export { createClient } from ${SDK};`);
  expect(modules.filter((id) => /valibot|client\/(collection|rows)/.test(id))).toEqual([]);
  expect(bytes).toBeLessThanOrEqual(CLIENT_BYTES);
});

test("with live collections, optimistic writes and queries it is still small", async () => {
  const { bytes, modules } = await bundle(`export * from ${SDK};`);
  expect(modules.filter((id) => id.includes("valibot"))).toEqual([]);
  expect(bytes).toBeLessThanOrEqual(ALL_BYTES);
});
