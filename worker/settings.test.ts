import { describe, expect, it, test } from "vitest";
import { misread, readNumber, readWord } from "./settings.ts";

describe("a number", () => {
  it.each([
    ["0", 0],
    ["600000", 600_000],
    [42, 42],
    ["600001", 8_000],
    ["", 8_000],
    ["-1", 8_000],
    ["1.5", 8_000],
    ["1e3", 8_000],
    [" 7", 8_000],
    ["ten", 8_000],
    ["9007199254740993", 8_000],
    [true, 8_000],
    [undefined, 8_000],
  ])("%o is %o", (value, number) => {
    const env = value === undefined ? {} : { DATABASE_PATIENCE_MS: value };
    expect(readNumber(env, "DATABASE_PATIENCE_MS")).toBe(number);
  });

  it("that has to be one at least is not 0", () => {
    expect(readNumber({ HUB_SOCKETS: "0" }, "HUB_SOCKETS")).toBe(4_000);
    expect(readNumber({ HUB_SOCKETS: "1" }, "HUB_SOCKETS")).toBe(1);
  });
});

test("a word is one of those it may be, or none", () => {
  expect(readWord({ ANONYMOUS: "read" }, "ANONYMOUS")).toBe("read");
  expect(readWord({ ALLOW_HUB_OVERRIDE: true }, "ALLOW_HUB_OVERRIDE")).toBe("true");
  for (const env of [{}, { ANONYMOUS: "" }, { ANONYMOUS: "READ" }, { ANONYMOUS: "all" }]) {
    expect(readWord(env, "ANONYMOUS")).toBeNull();
  }
});

describe("what is misread", () => {
  const variablesOf = (env: Record<string, unknown>) => misread(env).map(({ variable }) => variable);

  it("is nothing where all is as it may be, or not set", () => {
    expect(misread({})).toEqual([]);
    expect(
      misread({
        HISTORY_MAX_CHANGES: "100000",
        HUB_SHARDS: 2,
        ANONYMOUS: "none",
        RATE_LIMITS: "",
        JURISDICTION: "eu",
        CHANGE_LOG_LOCATION: "weur",
        DATABASE_URL: "anything",
        READ_LIMIT: { limit: () => undefined },
      }),
    ).toEqual([]);
  });

  it("is named with what it has to be and what holds meanwhile, and is not shown", () => {
    const found = misread({ MAX_SOCKETS_PER_TOKEN: "s3cret", ANONYMOUS: "s3cret", JURISDICTION: "s3cret" });
    expect(found).toEqual([
      {
        variable: "MAX_SOCKETS_PER_TOKEN",
        message: "has to be a whole number from 0 to 999999, in digits; until then it is 50",
      },
      {
        variable: "ANONYMOUS",
        message: "has to be none, read, write or not set; until then it counts as not set",
      },
      { variable: "JURISDICTION", message: "has to be eu or not set; until then nothing is stored" },
    ]);
    expect(JSON.stringify(found)).not.toContain("s3cret");
  });

  it("may be of any kind", () => {
    expect(
      variablesOf({ HUB_SOCKETS: true, HUB_SHARDS: 1.5, LOG_REQUESTS: {}, PUSH_EVERY_MS: null }),
    ).toEqual(["HUB_SHARDS", "HUB_SOCKETS", "PUSH_EVERY_MS", "LOG_REQUESTS"]);
  });

  it.each([
    ["", true],
    ["*", true],
    ["https://a.example", true],
    ["https://a.example/, http://localhost:5173 ,", true],
    ["capacitor://localhost,null", true],
    ["a.example", false],
    ["https://a.example/app", false],
    ["https://A.example", false],
    ["https://a.example:443", false],
    ["https://*.example", false],
    ["https://a.example https://b.example", false],
  ])("is told of ALLOWED_ORIGINS that no browser sends: %o is fine: %o", (origins, fine) => {
    expect(variablesOf({ ALLOWED_ORIGINS: origins })).toEqual(fine ? [] : ["ALLOWED_ORIGINS"]);
  });
});
