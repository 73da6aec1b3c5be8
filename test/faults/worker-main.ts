/** A program of the suite: the Worker in workerd on a fixed port, its objects' storage in a folder that outlives it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { miniflareOptions } from "../../dev/wrangler-config.ts";
import type { WorkerOrder, WorkerWord } from "./worker.ts";

const { port, folder, bindings } = JSON.parse(process.argv[2] ?? "{}") as WorkerOrder;
process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false"; // or every start would ask the internet where it is

const { bindings: vars, ...options } = miniflareOptions();
/** The first one is where workerd begins. */
const modules = await Promise.all(
  [
    {
      path: join(folder, "bundle/entry.js"),
      source: fileURLToPath(new URL("worker-entry.js", import.meta.url)),
    },
    { path: join(folder, "bundle/index.js"), source: join(folder, "bundle/index.js") },
  ].map(async ({ path, source }) => ({
    type: "ESModule" as const,
    path,
    contents: await readFile(source, "utf8"),
  })),
);
const miniflare = new Miniflare({
  ...convertV4MiniflareOptions({
    name: "rowcast",
    rootPath: folder,
    host: "127.0.0.1",
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    ...options,
    modules,
    bindings: {
      ...vars,
      ALLOW_HUB_OVERRIDE: "true",
      ANONYMOUS: "write",
      MAX_SOCKETS_PER_ADDRESS: "0",
      ...bindings,
    },
    handleStructuredLogs: ({ message }) => console.log(message),
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
  }),
  // (`durableObjectsPersist` among the options above would be ignored: Miniflare 5.20261117.)
  resourcePersistencePath: join(folder, "objects"),
});
await miniflare.ready;
const tell = (word: WorkerWord): void => void process.send?.(word);
process.on("message", (request) => {
  const { id, className, name, webSockets } = request as {
    id: number;
    className: string;
    name: string;
    webSockets: "close" | "hibernate";
  };
  miniflare.unsafeEvictDurableObject("rowcast", className, { name, webSockets }).then(
    () => tell({ evicted: id }),
    (error: unknown) => tell({ evicted: id, error: String(error) }),
  );
});
process.once("disconnect", () => process.exit(0));
tell({ ready: true });
