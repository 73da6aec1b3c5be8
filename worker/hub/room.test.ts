import { describe, expect, it } from "vitest";
import { addressOf } from "../http/caller.ts";
import type { Bearer } from "./attachment.ts";
import { readCaps, requireRoom } from "./door.ts";

const from = (address: string, holder: string | null = null): Bearer => ({
  address,
  holder,
  pin: null,
  expiresAt: null,
});
const many = (bearer: Bearer, count: number): Bearer[] => Array.from({ length: count }, () => bearer);

describe("the room at a hub", () => {
  const caps = { perAddress: 3, perToken: 2 };

  it("ends for an address at its cap, whatever tokens come from there, and for no other", () => {
    const present = [from("a", "ada"), from("a", "eve"), from("a")];
    expect(() => requireRoom(caps, from("a", "joe"), present)).toThrow(/address holds 3/);
    expect(() => requireRoom(caps, from("b", "joe"), present)).not.toThrow();
    expect(() => requireRoom(caps, from("a", "joe"), present.slice(1))).not.toThrow();
  });

  it("ends for a token at its cap, wherever it comes from", () => {
    const present = [from("a", "ada"), from("b", "ada")];
    expect(() => requireRoom(caps, from("c", "ada"), present)).toThrow(/token holds 2/);
  });

  it("has no end where the cap is 0, or nothing is known of the address", () => {
    expect(() =>
      requireRoom({ perAddress: 0, perToken: 0 }, from("a", "ada"), many(from("a", "ada"), 99)),
    ).not.toThrow();
    expect(() => requireRoom(caps, from(""), many(from(""), 99))).not.toThrow();
  });

  it("is 100 for an address and 50 for a token unless the variables say otherwise", () => {
    expect(readCaps({})).toEqual({ perAddress: 100, perToken: 50 });
    expect(readCaps({ MAX_SOCKETS_PER_ADDRESS: "0", MAX_SOCKETS_PER_TOKEN: "7" })).toEqual({
      perAddress: 0,
      perToken: 7,
    });
    expect(readCaps({ MAX_SOCKETS_PER_ADDRESS: "many" })).toMatchObject({ perAddress: 100 });
  });
});

describe("an address", () => {
  const of = (address: string) =>
    addressOf(new Request("https://x", { headers: { "CF-Connecting-IP": address } }));

  it("is counted, and cannot be read again", async () => {
    expect(await of("203.0.113.7")).toMatch(/^[0-9a-f]{16}$/);
    expect(await of("203.0.113.7")).not.toBe(await of("203.0.113.8"));
    expect(await addressOf(new Request("https://x"))).toBe("");
  });

  it("of IPv6 is that of the customer, who has a whole /64", async () => {
    expect(await of("2001:db8:0:1::1")).toBe(await of("2001:db8:0:1:ffff:ffff:ffff:ffff"));
    expect(await of("2001:db8::1")).toBe(await of("2001:db8:0:0::2"));
    expect(await of("2001:db8:0:1::1")).not.toBe(await of("2001:db8:0:2::1"));
  });
});
