/**
 * ETags and If-Match (RFC 9110, 13.1). The ETag of an order is its `updated_at`, which every update moves. A weak tag
 * counts as well: a proxy that compresses makes ours weak, and it names the row's version, not bytes.
 */
import type { Order } from "../../protocol/orders.ts";
import { Problem } from "../http/problem.ts";

const TAGS = /^\s*(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*\s*$/;
const VERSION = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?\+00:00$/;

/** The version of an order as a quoted ETag. */
export function etag(order: Order): string {
  return `"${order.updated_at}"`;
}

/**
 * The versions that an If-Match lets pass, as texts that Postgres reads as timestamptz; null when any version passes. A
 * tag that is none of ours stands for a version that never was: it is left out.
 *
 * @throws {Problem} `invalid_header` when it is neither `*` nor quoted tags.
 */
export function versionsOf(ifMatch: string | undefined): string[] | null {
  if (ifMatch === undefined || ifMatch.trim() === "*") return null;
  if (!TAGS.test(ifMatch)) {
    const message = 'has to be * or quoted ETags: If-Match: "2026-11-20T23:00:00.123456+00:00"';
    throw new Problem("invalid_header", `If-Match ${message}`, { issues: [{ field: "If-Match", message }] });
  }
  return tagsIn(ifMatch).filter(isVersion);
}

/** Whether an If-None-Match names the order's version: then 304. What cannot be read names nothing. */
export function isUnchanged(ifNoneMatch: string | undefined, order: Order): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.trim() === "*" || tagsIn(ifNoneMatch).includes(order.updated_at);
}

function tagsIn(header: string): string[] {
  return [...header.matchAll(/"([^"]*)"/g)].map(([, tag = ""]) => tag);
}

/** Only days that exist: Postgres would refuse February 30th with an error. */
function isVersion(tag: string): boolean {
  if (!VERSION.test(tag)) return false;
  const time = new Date(tag);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(tag.slice(0, 19));
}
