/** Readers of option values: each throws what commander shows as an error of the command line. */
import { InvalidArgumentError } from "commander";
import { ORDER_STATUSES } from "../protocol/order-status.ts";
import type { OrderStatus } from "../protocol/orders.ts";
import { parsePosition } from "../protocol/position.ts";

export const DEFAULT_URL = "http://localhost:8787";

/** Ids are int4. */
const MAX_ID = 2_147_483_647;
const MAX_RANDOM = 1000;

/** `a,b` as a list, without blanks and empty ones. @throws when nothing is left. */
export function list(text: string): string[] {
  const values = text
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");
  if (values.length === 0) throw new InvalidArgumentError("It is a list: a,b,c");
  return values;
}

/** `7` as the id of an order. */
export function id(text: string): number {
  return wholeNumber(text, 1, MAX_ID);
}

/** `1,2` as ids. */
export function ids(text: string): number[] {
  return list(text).map((value) => {
    if (!/^[0-9]+$/.test(value) || Number(value) > MAX_ID) {
      throw new InvalidArgumentError("It is a list of whole numbers: 1,2,3");
    }
    return Number(value);
  });
}

/** For arguments: `1 2,3` as ids. */
export function moreIds(text: string, before: readonly number[] = []): number[] {
  return [...new Set([...before, ...ids(text)])];
}

export function status(text: string): OrderStatus {
  const found = ORDER_STATUSES.find((status) => status === text.trim().toLowerCase());
  if (found === undefined) {
    throw new InvalidArgumentError(`A status is one of ${ORDER_STATUSES.join(", ")}.`);
  }
  return found;
}

/** `pending,shipped` as statuses. */
export function statuses(text: string): OrderStatus[] {
  return list(text).map(status);
}

/** For arguments: `pending shipped,delivered` as statuses. */
export function moreStatuses(text: string, before: readonly OrderStatus[] = []): OrderStatus[] {
  return [...new Set([...before, ...statuses(text)])];
}

/** `12.50`, or `none`, which stays a word: to commander a null is no value. The server knows the limits. */
export function amount(text: string): number | "none" {
  if (text === "none") return text;
  if (!/^-?[0-9]+(\.[0-9]+)?$/.test(text)) {
    throw new InvalidArgumentError("An amount is a number like 12.50, or none.");
  }
  return Number(text);
}

/** How many orders to make up. */
export function howMany(text: string): number {
  return wholeNumber(text, 1, MAX_RANDOM);
}

export function count(text: string): number {
  return wholeNumber(text, 1, MAX_ID);
}

export function offset(text: string): number {
  return wholeNumber(text, 0, MAX_ID);
}

function wholeNumber(text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^[0-9]{1,10}$/.test(text) || value < min || value > max) {
    throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
  }
  return value;
}

/** The text of a position. */
export function position(text: string): string {
  if (!parsePosition(text)) throw new InvalidArgumentError("A position looks like k3v9x2ab.1042");
  return text;
}

/** An http address. */
export function address(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError(`It is an address like ${DEFAULT_URL}`);
  }
  return text;
}
