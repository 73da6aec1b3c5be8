/** Variables that are misread are told in the log, with the first request that an isolate gets. */
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "./app-env.ts";
import { logEvent } from "../log.ts";
import { misread } from "../settings.ts";

let told = false;

export const tellMisread = createMiddleware<AppEnv>((c, next) => {
  if (!told) {
    told = true;
    for (const { variable, message } of misread({ ...c.env })) {
      logEvent("error", "a variable of the Worker is misread", { variable, message }, variable);
    }
  }
  return next();
});
