import { describe, expect, it } from "vitest";
import { Client } from "pg";
import { connectionOptions } from "./postgres-url.ts";

const sslmodeOf = (address: string): string | null =>
  new URL(connectionOptions(address).connectionString).searchParams.get("sslmode");

describe("an address of Postgres", () => {
  it.each(["prefer", "require", "verify-ca", "verify-full"])(
    "with sslmode=%s has its certificate checked",
    (mode) => {
      const address = `postgres://u:p@db.example.com/app?sslmode=${mode}`;
      expect(sslmodeOf(address)).toBe("verify-full");
      const { ssl } = new Client(connectionOptions(address)) as unknown as {
        ssl: { rejectUnauthorized?: boolean };
      };
      expect(ssl).toBeTruthy();
      expect(ssl.rejectUnauthorized).not.toBe(false);
    },
  );

  it("is left alone when it says what it wants", () => {
    expect(sslmodeOf("postgres://u:p@h/db?sslmode=disable")).toBe("disable");
    expect(sslmodeOf("postgres://u:p@h/db?sslmode=require&uselibpqcompat=true")).toBe("require");
    expect(sslmodeOf("postgres://u:p@h/db")).toBeNull();
    expect(connectionOptions("not an address")).toEqual({ connectionString: "not an address" });
  });

  it("may ask for the roots that are taken anyway", () => {
    const options = (search: string) => connectionOptions(`postgres://h/db${search}`).connectionString;
    expect(options("?sslrootcert=system")).toBe("postgres://h/db");
    expect(options("?sslrootcert=system&sslmode=verify-full")).toBe("postgres://h/db?sslmode=verify-full");
    expect(options("?sslmode=verify-full&sslrootcert=system&x=1")).toBe(
      "postgres://h/db?sslmode=verify-full&x=1",
    );
    expect(options("?sslrootcert=/system")).toBe("postgres://h/db?sslrootcert=/system");
  });

  it("that asks for channel binding gets it", () => {
    expect(connectionOptions("postgres://u:p@h/db?channel_binding=require").enableChannelBinding).toBe(true);
    expect(connectionOptions("postgres://u:p@h/db").enableChannelBinding).toBeUndefined();
  });

  it("may have any password, and an IPv6 host", () => {
    const password = "p@/:#?% &é\"'\\+";
    const address = `postgres://u:${encodeURIComponent(password)}@[2001:db8::1]:6543/db?sslmode=require`;
    const client = new Client(connectionOptions(address));
    expect([client.password, client.host, client.port, client.database]).toEqual([
      password,
      "2001:db8::1",
      6543,
      "db",
    ]);
  });
});
