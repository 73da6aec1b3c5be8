import { describe, expect, it } from "vitest";
import type { Filter } from "../../protocol/filter.ts";
import { SEPARATOR } from "../change-log/history.ts";
import { EVERYTHING, select as selectFrom, viewOf } from "./selection.ts";

const ADA: Filter = { orders: { customer: ["Ada"] } };

/** As Postgres writes them: more digits than a JavaScript number has, and not the spacing that JSON.stringify has. */
const text = (seq: number, customer: string, old: string | null, table = "orders"): string =>
  `{"seq":${seq},"xid":"1","table":"${table}","operation":"${old === null ? "INSERT" : "UPDATE"}","key":{"id": ${seq}},` +
  `"data":{"id": ${seq}, "n": 12345678901234567.10, "customer": "${customer}"},` +
  `"old":${old === null ? "null" : `{"customer": "${old}"}`},"timestamp":""}`;

const select = (texts: readonly string[], pin: Filter | null, filter: Filter | null) =>
  selectFrom({ epoch: "e", from: 0, to: texts.length, text: texts.join(SEPARATOR) }, viewOf(pin, filter));

describe("what of a batch a client is sent", () => {
  it("is the text as it came, where nothing of a change is hidden", () => {
    const all = [text(1, "Ada", null), text(2, "Eve", null), text(3, "Ada", null, "items")];
    expect(select(all, null, null)).toEqual({ text: all.join(SEPARATOR), count: 3 });
    expect(select(all, ADA, null)).toEqual({ text: all[0], count: 1 });
    expect(select(all, null, ADA)).toEqual({ text: all[0], count: 1 });
  });

  it("is written anew, with every digit, where a row crosses the edge of the pin", () => {
    const entered = select([text(1, "Ada", "Eve")], ADA, null);
    expect(entered.text).toContain('"n":12345678901234567.10');
    expect(entered.text).toContain('"operation":"INSERT"');
    const left = select([text(1, "Eve", "Ada")], ADA, null);
    expect(left.text).toContain('"n":12345678901234567.10');
    expect(left.text).toContain('"operation":"DELETE"');
    for (const { text: sent, count } of [entered, left]) {
      expect(sent).not.toContain("Eve");
      expect(sent.startsWith('{"seq":1,')).toBe(true); // by which frames are cut into pieces
      expect(count).toBe(1);
    }
  });

  it("is of the client's filter only what the pin shows, so that neither widens the other", () => {
    const moved = [text(1, "Eve", "Ada"), text(2, "Ada", null)];
    expect(select(moved, ADA, { orders: { customer: ["Eve"] } })).toEqual({ text: "", count: 0 });
    expect(select(moved, ADA, { orders: { id: [2] }, items: {} })).toEqual({ text: moved[1], count: 1 });
    expect(select(moved, ADA, { items: {} })).toEqual({ text: "", count: 0 });
  });

  it("is told apart by pin and filter both", () => {
    const views = [EVERYTHING, viewOf(ADA, null), viewOf(null, ADA), viewOf(ADA, ADA), viewOf({}, null)];
    expect(new Set(views.map(({ key }) => key)).size).toBe(views.length);
    expect(viewOf({ ...ADA }, null).key).toBe(viewOf(ADA, null).key);
    expect(select([text(1, "Ada", null)], {}, null).count).toBe(0);
  });
});
