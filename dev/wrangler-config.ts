/** wrangler.toml, as wrangler reads it. (A file of its own: wrangler takes a while to load, and `npm start` needs only its path.) */
import { join } from "node:path";
import { unstable_readConfig as readConfig } from "wrangler";
import { PROJECT_DIR } from "./config.ts";

/** @throws wrangler's UserError, in words for a terminal, where the file is wrong or has no such environment. */
export function readWorkerConfig(environment = "") {
  return readConfig({ config: join(PROJECT_DIR, "wrangler.toml"), env: environment }, { hideWarnings: true });
}

/** What Miniflare is given to run the same Worker. */
export function miniflareOptions() {
  const { compatibility_date, compatibility_flags, vars, durable_objects } =
    readWorkerConfig() as unknown as Read;
  return {
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
    bindings: vars,
    durableObjects: Object.fromEntries(
      durable_objects.bindings.map(({ name, class_name }) => [
        name,
        { className: class_name, useSQLite: true },
      ]),
    ),
  };
}

/** Of wrangler's own types, these do not resolve outside its package. */
interface Read {
  readonly compatibility_date: string;
  readonly compatibility_flags: string[];
  readonly vars: Record<string, string>;
  readonly durable_objects: { readonly bindings: readonly { name: string; class_name: string }[] };
}
