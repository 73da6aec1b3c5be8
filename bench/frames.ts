/**
 * Reading frames. All clients of a run live in one process, and a broadcast brings each the same bytes: a frame that
 * another client has just parsed is compared, not parsed again. Otherwise the measurement would be one of JSON.parse in
 * this process. The same for every system.
 */

/** Of Rowcast a `welcome` or `changes`, of the baseline a `change`; other frames carry nothing that is counted. */
export interface Frame {
  type: string;
  position?: string;
  from?: string;
  window?: { bytes: number; changes: number };
  changes?: Change[];
  data?: Reading;
}

export interface Change {
  data: Reading;
}

/** A row of `readings`. */
export interface Reading {
  run: number;
  writer: number;
  n: number;
  sent_ms: number;
}

/** Frames begin with their positions, or the row's id: this much of them tells most apart. */
const KEY_BYTES = 120;
const MAX_KEPT_BYTES = 32_000_000;

export function createParser(): (bytes: Buffer) => Frame {
  const kept = new Map<string, { bytes: Buffer; frame: Frame }>();
  let keptBytes = 0;
  return (bytes) => {
    const key = bytes.toString("latin1", 0, KEY_BYTES);
    const known = kept.get(key);
    if (known?.bytes.equals(bytes)) return known.frame;
    const frame = JSON.parse(bytes.toString()) as Frame;
    if (known !== undefined) keptBytes -= known.bytes.length;
    kept.delete(key);
    kept.set(key, { bytes: Buffer.from(bytes), frame });
    keptBytes += bytes.length;
    for (const [oldest, { bytes: old }] of kept) {
      if (keptBytes <= MAX_KEPT_BYTES) break;
      kept.delete(oldest);
      keptBytes -= old.length;
    }
    return frame;
  };
}
