/** When the first view is there and the browser has nothing better to do. */
import { effect, signal } from "@preact/signals";
import { loadState } from "../../state/orders.ts";

/** True from then on. */
export const isIdle = signal(false);

const LATEST_MS = 3000;
let asked = false;

effect(() => {
  if (loadState.value === "loading" || asked) return;
  asked = true;
  const done = () => {
    isIdle.value = true;
  };
  if (typeof requestIdleCallback === "function") requestIdleCallback(done, { timeout: LATEST_MS });
  else setTimeout(done, LATEST_MS / 3); // Safari
});
