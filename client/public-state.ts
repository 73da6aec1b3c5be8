import { CloseCode } from "../protocol/close-codes.ts";
import type { State, Transport } from "./states.ts";

/** What an application is told of the connection. */
export type ConnectionState =
  /** `attempt` counts from 1. */
  | { readonly name: "connecting"; readonly transport: Transport; readonly attempt: number }
  /** Open; what happened since the position is on its way. */
  | { readonly name: "catching-up"; readonly transport: Transport }
  | { readonly name: "live"; readonly transport: Transport }
  /** `retryAt` in milliseconds since 1970; `attempt` have failed in a row. */
  | { readonly name: "waiting"; readonly retryAt: number; readonly attempt: number; readonly reason: string }
  /** The browser says that there is no network. */
  | { readonly name: "offline" }
  /** Closed by the application, or refused by the server for good: `forbidden` when it asks for a token, or for another. */
  | { readonly name: "stopped"; readonly reason: string; readonly forbidden?: true };

/** The machine's state as applications see it. */
export function showState(state: State): ConnectionState {
  const { name, transport, attempt } = state;
  if (name === "connecting") return { name, transport, attempt: attempt + 1 };
  if (name === "waiting") return { name, retryAt: state.retryAt, attempt, reason: state.reason };
  if (name === "stopped") {
    const forbidden = state.code === CloseCode.FORBIDDEN;
    return { name, reason: state.reason, ...(forbidden && { forbidden }) };
  }
  return name === "offline" ? { name } : { name, transport };
}

/** Whether two states look the same to an application. */
export function sameState(a: ConnectionState, b: ConnectionState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
