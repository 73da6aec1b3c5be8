/** Writes as an application sees them, and as it sends them. */
import type { Key } from "../rows.ts";

export interface FieldRefusal {
  readonly field: string;
  readonly message: string;
}

/** Thrown by what sends, for a final no: the write is taken back. Anything else thrown means that nobody knows: it is sent again. */
export class WriteRefused extends Error {
  readonly status: number;
  readonly code: string;
  readonly issues: readonly FieldRefusal[];
  constructor(
    message: string,
    about: {
      readonly status?: number;
      readonly code?: string;
      readonly issues?: readonly FieldRefusal[];
    } = {},
  ) {
    super(message);
    this.name = "WriteRefused";
    this.status = about.status ?? 0;
    this.code = about.code ?? "refused";
    this.issues = about.issues ?? [];
  }
}

/** How writes reach the server. `id` is that of the write, the same each time that it is sent: its Idempotency-Key. */
export interface WriteCalls<R> {
  /** What a row that is created looks like until the server has answered; `n` counts from 1, for a key that no row has. */
  readonly draft: (fields: Partial<R>, n: number) => R;
  readonly create: (fields: Partial<R>, id: string) => Promise<{ readonly data: R; readonly xid: string }>;
  /** @param row as it was when it was edited. */
  readonly update: (
    row: R,
    fields: Partial<R>,
    id: string,
  ) => Promise<{ readonly data: R; readonly xid: string }>;
  readonly remove: (row: R, id: string) => Promise<{ readonly xid: string }>;
}

export type WriteKind = "create" | "update" | "remove";

export interface PendingWrite<R> {
  readonly id: string;
  readonly kind: WriteKind;
  /** Of the row; of one that is being created that of its draft, until the server has answered. */
  readonly key: Key;
  readonly fields: Partial<R>;
  /** When it was made, ms since 1970. */
  readonly since: number;
  /** How often it has been sent. */
  readonly attempt: number;
  /** The row as the server answered, null for one that was removed. Rejects when it is refused. */
  readonly done: Promise<R | null>;
}

export interface Refusal<R> {
  readonly write: PendingWrite<R>;
  readonly error: WriteRefused;
}
