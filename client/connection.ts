import type { Incoming } from "./states.ts";

/** An open (or opening) stream over either transport. After `close` it says nothing more. */
export interface Connection {
  /** Does nothing over SSE, which has no way back, and while not open. */
  readonly send: (text: string) => void;
  readonly close: () => void;
}

/**
 * @param code of protocol/close-codes.ts or of the platform.
 * @param afterMs the server does not want to see us again before.
 */
export type OnClosed = (code: number, reason: string, afterMs?: number) => void;

/** What a transport hands up; `onClosed` comes at most once and last, never within the call that opens. */
export interface ConnectionHandlers {
  onMessage(message: Incoming, size: number): void;
  onPong(position: string): void;
  /** Bytes that were no frame. */
  onHeard(): void;
  readonly onClosed: OnClosed;
}

/** `JSON.parse`, or one that keeps every digit. */
export type Parse = (text: string) => unknown;
