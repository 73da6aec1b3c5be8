/** Times for people, in their own time zone and way of writing; of 24 hours, since a narrow list has no room for AM and PM. */

const TIME = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const DAY_OF_YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "medium" });

/** The time of day. Takes ms since 1970 or ISO 8601. */
export function clockTime(time: number | string): string {
  return format(TIME, time);
}

/** The time of day when it is today's, otherwise the day. */
export function shortTime(iso: string): string {
  const date = new Date(iso);
  const today = new Date();
  if (date.toDateString() === today.toDateString()) return format(TIME, iso);
  return format(date.getFullYear() === today.getFullYear() ? DAY : DAY_OF_YEAR, iso);
}

/** All of it, for a tooltip. */
export function fullTime(iso: string): string {
  return format(FULL, iso);
}

/** A timestamp that cannot be read is shown as it came: Postgres knows `infinity`. */
function format(formatter: Intl.DateTimeFormat, time: number | string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : formatter.format(date);
}
