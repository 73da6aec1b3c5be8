/** What an application sees of a client. */
import type { Change } from "../protocol/change.ts";
import type { FilterInput } from "../protocol/filter.ts";
import type { ListenerStatus, MessageOf } from "../protocol/messages.ts";
import type { Parse } from "./connection.ts";
import type { Env } from "./env.ts";
import type { Observable } from "./observable.ts";
import type { ClockSample } from "./clock.ts";
import type { ConnectionState } from "./public-state.ts";
import type { Transport } from "./states.ts";
import type { Token } from "./token.ts";

export interface ClientOptions {
  /** Where the Worker is: http or https. */
  readonly url: string;
  /** A position to go on from; from now on when left out. */
  readonly since?: string;
  /** Everything when left out. */
  readonly filter?: FilterInput;
  /**
   * When this client is behind, several changes of a row may come as its last, with `folded` saying how many more it
   * stands for: enough for who shows rows, too little for who counts changes. Off by default.
   */
  readonly fold?: boolean;
  /**
   * Who this is. A function is asked for each connection, and so for a fresh token when the last one has run out; a
   * string that runs out, or is refused, stops the client.
   */
  readonly token?: Token;
  /** The first is preferred, the second is fallen back to. Both in this order by default: WebSocket, SSE. */
  readonly transports?: readonly Transport[];
  /** How frames are read: `JSON.parse` unless given; `parseExact` of protocol/exact-json.ts keeps every digit. */
  readonly parse?: Parse;
  readonly env?: Partial<Env>;
}

/** Changes that arrived together: all that passed the filter after `from` up to and with `position`. */
export interface ChangeBatch {
  readonly from: string;
  readonly position: string;
  /** Empty when everything up to `position` was outside the filter. */
  readonly changes: readonly Change[];
  readonly transport: Transport;
}

export interface ClientEvents {
  readonly changes: ChangeBatch;
  /** What was held cannot be continued: reload. The stream goes on from `position`. */
  readonly reset: MessageOf<"reset">;
  /** A frame did not begin where the stream stood; it was not applied, and the client reconnects from its own position. */
  readonly gap: { readonly expected: string; readonly got: string };
  /** What the server has against something the client sent. */
  readonly error: MessageOf<"error">;
  readonly welcome: MessageOf<"welcome">;
  readonly subscribed: MessageOf<"subscribed">;
  readonly status: MessageOf<"status">;
}

/** What the server last said of itself. */
export interface ServerStatus {
  readonly connectedClients: number;
  readonly listener: ListenerStatus;
  /** From commit to log, of the last batch; null before the first. */
  readonly lagMs: number | null;
}

export interface Client {
  readonly state: Observable<ConnectionState>;
  /**
   * How old the newest change of the last batch was when it arrived, ms, by the database's clock; null until that clock
   * is known.
   */
  readonly latency: Observable<number | null>;
  /** null before the first welcome. */
  readonly status: Observable<ServerStatus | null>;
  /** Everything up to it has been delivered; null before the first welcome. */
  readonly position: string | null;
  /** Returns the function that takes the listener off. */
  on<K extends keyof ClientEvents>(name: K, listener: (event: ClientEvents[K]) => void): () => void;
  /** Narrows a stream of everything to what is named, or adds to what was named before. */
  subscribe(filter: FilterInput): void;
  /** Takes away what is named; with nothing named back to everything. */
  unsubscribe(filter?: FilterInput): void;
  /**
   * Resolves when a change of this transaction has been delivered, recently or from now on, or when a `reset` has made the
   * application reload. A write outside the filter is never delivered: limit the wait. Rejects when the client is closed.
   */
  seen(xid: string): Promise<void>;
  /** Learns how the database's clock goes; see `ClockSample`. */
  clock(sample: ClockSample): void;
  /** Drops the connection, if there is one, and opens a new one at once, from the present position. */
  reconnect(): void;
  /** Ends it for good. */
  close(): void;
}
