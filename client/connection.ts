import type { Incoming } from "./states.ts";

/** An open (or opening) stream over either transport. After `close` it says nothing more. */
export interface Connection {
  /** Does nothing over SSE, which has no way back, and while not open. */
  readonly send: (text: string) => void;
  readonly close: () => void;
}

/** What a transport hands up; `onClosed` comes at most once and last, never within the call that opens. */
export interface ConnectionHandlers {
  onMessage(message: Incoming, size: number): void;
  onPong(position: string): void;
  /** Bytes that were no frame. */
  onHeard(): void;
  /** @param code of protocol/close-codes.ts or of the platform. */
  onClosed(code: number, reason: string): void;
}

/** `JSON.parse`, or one that keeps every digit. */
export type Parse = (text: string) => unknown;
