/** What went wrong with the connection lately, for who wants to know why. */
import { effect, signal } from "@preact/signals";
import type { ResetReason } from "../../protocol/messages.ts";
import { client, connection, isSwitching } from "./connection.ts";
import { loadError, loadState } from "./orders.ts";
import { notify } from "./toasts.ts";
import { RESET_WORDS } from "./words.ts";

export interface LoggedError {
  readonly id: number;
  /** ms since 1970, of the last time. */
  readonly at: number;
  readonly text: string;
  /** How often in a row. */
  readonly times: number;
}

const MAX_ERRORS = 20;

/** The newest first. */
export const errors = signal<readonly LoggedError[]>([]);

let nextId = 1;

export function logError(text: string): void {
  const [last, ...rest] = errors.peek();
  const isSame = last?.text === text;
  const entry: LoggedError = {
    id: isSame ? last.id : nextId++,
    at: Date.now(),
    text,
    times: isSame ? last.times + 1 : 1,
  };
  errors.value = [entry, ...(isSame ? rest : errors.peek())].slice(0, MAX_ERRORS);
}

effect(() => {
  const state = connection.value;
  if (isSwitching.peek()) return;
  if (state.name === "waiting") logError(sentence(state.reason));
  else if (state.name === "stopped") logError(`Stopped: ${state.reason}`);
  else if (state.name === "offline") logError("This device had no network.");
});

effect(() => {
  const error = loadError.value;
  if (error) logError(`The orders could not be loaded: ${error.message}`);
});

client.on("gap", ({ expected, got }) => {
  logError(`A part of the stream was missing (${expected} was due, ${got} came). It is being fetched.`);
});
client.on("error", ({ message }) => logError(sentence(message)));
client.on("reset", ({ reason }) => {
  logError(RESET_WORDS[reason]);
  resetBy = reason;
});

/** What the orders are being loaded again for: told when they are. */
let resetBy: ResetReason | null = null;
let wasReloading = false;
effect(() => {
  const state = loadState.value;
  if (state === "ready" && wasReloading && resetBy) {
    notify({ text: RESET_WORDS[resetBy], tone: "info" });
    resetBy = null;
  }
  wasReloading = state !== "ready";
});

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}
