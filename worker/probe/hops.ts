/**
 * Where the time of a probe went. Everything is put on the Worker's clock, which sees the beginning and the end. The
 * database's and the log's may be wrong by hours: each is asked once for its time, and the middle of that round trip says
 * how far it is off, give or take half of the trip. What lies between two looks at one clock needs no second one.
 */

export const HOPS = ["database", "outbox", "listener", "log", "hub"] as const;
export type HopName = (typeof HOPS)[number];

export interface Hop {
  readonly hop: HopName;
  readonly ms: number;
}

/** Another clock's time `at`, asked for between two looks at one's own; all in ms since 1970. */
export interface ClockSample {
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly at: number;
}

/** How far a clock is ahead of the Worker's, and how far that may be wrong, in ms. */
export interface ClockOffset {
  readonly offset: number;
  readonly uncertainty: number;
}

export function offsetOf({ sentAt, receivedAt, at }: ClockSample): ClockOffset {
  return { offset: at - (sentAt + receivedAt) / 2, uncertainty: (receivedAt - sentAt) / 2 };
}

/** What was seen of a probe, each by the clock that is named; ms since 1970, null for what is not known. */
export interface Sightings {
  /** The Worker began to ask the database. Worker. */
  readonly startedAt: number;
  /** The statement wrote its row. Database. */
  readonly writtenAt: number;
  /** The outbox was read. Database. */
  readonly readAt: number | null;
  /** Its batch was stored. Log. */
  readonly storedAt: number | null;
  /** It came to the Worker from a hub that is so far away. Worker. */
  readonly arrived: { readonly at: number; readonly hubRoundTripMs: number } | null;
  /** What the database's and the log's clocks are ahead of the Worker's. */
  readonly databaseOffset: number;
  readonly logOffset: number;
}

/**
 * The hops that have been made, in order, each without the time of the one before: their sum is the time from the
 * beginning to the end of the last. One of which nothing is known is left out, its time counted with the next.
 */
export function hopsOf(seen: Sightings): Hop[] {
  const { startedAt, writtenAt, readAt, storedAt, arrived, databaseOffset, logOffset } = seen;
  const inOutbox = readAt === null ? 0 : Math.max(0, readAt - writtenAt);
  const end = arrived?.at ?? Infinity;
  // The statement ran when it could still lie in the outbox for as long as it did: that is known better.
  const written = within(startedAt, writtenAt - databaseOffset, Math.max(startedAt, end - inOutbox));
  const marks: [HopName, number | null][] = [
    ["database", written],
    ["outbox", readAt === null ? null : written + inOutbox],
    ["listener", storedAt === null ? null : storedAt - logOffset],
    ["log", arrived && arrived.at - arrived.hubRoundTripMs / 2],
    ["hub", arrived && arrived.at],
  ];
  const hops: Hop[] = [];
  let before = startedAt;
  for (const [hop, mark] of marks) {
    if (mark === null) continue;
    const at = within(before, mark, Math.max(before, end));
    hops.push({ hop, ms: tenths(at - startedAt) - tenths(before - startedAt) });
    before = at;
  }
  return hops.map(({ hop, ms }) => ({ hop, ms: tenths(ms) }));
}

/** Of a timestamp as the database writes it, ISO 8601 with microseconds: ms since 1970, with their fraction. */
export function timeOf(timestamp: string): number {
  const micros = /\.[0-9]{3}([0-9]{1,3})/.exec(timestamp)?.[1] ?? "";
  return Date.parse(timestamp) + Number(micros.padEnd(3, "0")) / 1000;
}

/** To a tenth of a millisecond: more than any of the clocks is good for. */
export function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function within(least: number, value: number, most: number): number {
  return Math.min(Math.max(least, value), most);
}
