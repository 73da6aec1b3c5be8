/**
 * What a socket carries through its Hub's hibernation. The platform keeps at most 16,384 bytes of it, so pin and filter are
 * written as UTF-8, whose length is known beforehand: what would not fit is refused before the upgrade, not lost after.
 */
import type { Filter } from "../../protocol/filter.ts";
import type { Flow } from "./flow.ts";

/** Together with a token's subject of 256 characters and a full window's steps, some 14 kB. */
export const MAX_PIN_BYTES = 4096;
export const MAX_FILTER_BYTES = 8192;

/** Who opened a socket, as the Worker has found out. */
export interface Bearer {
  /** Whom caps count (access.ts); null for somebody without a token. */
  readonly holder: string | null;
  readonly pin: Filter | null;
  /** When the token runs out, ms since 1970; null for never. */
  readonly expiresAt: number | null;
  /** A hash of the address; empty where there is none. */
  readonly address: string;
}

/** What is kept of a client. `connectedAt`: ms since 1970. */
export interface Attachment {
  readonly id: string;
  readonly bearer: Bearer;
  readonly filter: Filter | null;
  readonly connectedAt: number;
  readonly fold: boolean;
  /** Its frames leave out what it can derive. */
  readonly lean: boolean;
  readonly flow: Flow;
}

type Packed = Omit<Attachment, "bearer" | "filter"> & {
  readonly bearer: Omit<Bearer, "pin">;
  /** JSON of pin and filter. */
  readonly view: Uint8Array;
};

const encoder = new TextEncoder();

/** How many bytes a filter takes here. */
export function filterBytes(filter: Filter | null): number {
  return encoder.encode(JSON.stringify(filter)).length;
}

/** For `serializeAttachment`. */
export function pack({ bearer, filter, ...rest }: Attachment): Packed {
  const { pin, ...who } = bearer;
  return { ...rest, bearer: who, view: encoder.encode(JSON.stringify([pin, filter])) };
}

/**
 * @param packed of `deserializeAttachment`.
 * @returns null for a socket that was closed before it was welcomed, or opened under a version of this code that wrote
 *   something else.
 */
export function unpack(packed: unknown): Attachment | null {
  const { bearer, view, ...rest } = (packed ?? {}) as Packed;
  if (!(view instanceof Uint8Array)) return null;
  const [pin, filter] = JSON.parse(new TextDecoder().decode(view)) as [Filter | null, Filter | null];
  const { lean = false } = rest as Partial<Attachment>; // a version before wrote none
  return { ...rest, lean, bearer: { ...bearer, pin }, filter };
}
