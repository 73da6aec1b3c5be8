/** What a page pays for the SDK. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";
import { PROJECT_DIR } from "../../dev/config.ts";

/** 8,581 when this was written. A change that needs more says what for. */
const MAX_BYTES = 8_700;

test("the SDK is small, and brings no schema library along", async () => {
  const built = await build({
    root: PROJECT_DIR,
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      rollupOptions: {
        input: join(PROJECT_DIR, "client/index.ts"),
        preserveEntrySignatures: "strict",
        output: { format: "es" },
      },
    },
  });
  const chunks = [built].flat().flatMap((result) => ("output" in result ? result.output : []));
  expect(chunks).toHaveLength(1);
  const [chunk] = chunks;
  if (chunk?.type !== "chunk") throw new Error("nothing was built");
  expect(chunk.exports.toSorted()).toEqual(["createClient", "liveCollection"]);
  expect(chunk.moduleIds.filter((id) => id.includes("valibot"))).toEqual([]);
  expect(gzipSync(chunk.code, { level: 9 }).length).toBeLessThanOrEqual(MAX_BYTES);
});
