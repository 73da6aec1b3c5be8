import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEPARATOR, type Batch } from "./history.ts";
import { Ring } from "./ring.ts";

/** A batch whose changes are their own numbers. */
function batch(from: number, to: number, epoch = "abc"): Batch {
  const text = Array.from({ length: to - from }, (_, index) => String(from + index + 1)).join(SEPARATOR);
  return { epoch, from, to, text };
}

function numbers({ text }: Batch): number[] {
  return text.split(SEPARATOR).map(Number);
}

describe("the ring of recent batches", () => {
  it("gives what follows any number it still holds, whole and in order, and never more than it may keep", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 300 }), fc.nat(), (all, maxChars, at) => {
        const ring = new Ring(maxChars);
        let head = 0;
        const batches = all.map((size) => batch(head, (head += size)));
        for (const next of batches) ring.add(next);
        // The newest always stays; before it, whole batches as long as they fit.
        let [chars, oldest] = [0, head];
        for (const { text, from } of batches.toReversed()) {
          if (chars > 0 && chars + text.length > maxChars) break;
          chars += text.length;
          oldest = from;
        }
        const since = at % head;
        const found = ring.after(since);
        if (since < oldest) expect(found).toBeNull();
        else {
          expect(found?.from).toBe(since);
          expect(numbers(found ?? batch(0, 1))[0]).toBe(since + 1);
          expect(numbers(found ?? batch(0, 1))).toHaveLength((found?.to ?? 0) - since);
        }
        expect(ring.after(head)).toBeNull();
      }),
    );
  });

  it("gives several batches as one, as many as fit", () => {
    const ring = new Ring(1000);
    for (const next of [batch(0, 2), batch(2, 5), batch(5, 6)]) ring.add(next);
    expect(ring.after(1, 1000)).toEqual({ ...batch(1, 6) });
    expect(ring.after(1, 8)).toEqual(batch(1, 5));
    expect(ring.after(1)).toEqual(batch(1, 2));
  });

  it("starts anew after a gap or in another epoch", () => {
    const ring = new Ring(1000);
    ring.add(batch(0, 5));
    ring.add(batch(7, 9));
    expect(ring.after(3)).toBeNull();
    expect(numbers(ring.after(7) ?? batch(0, 1))).toEqual([8, 9]);
    ring.add(batch(9, 10, "xyz"));
    expect(ring.after(8)).toBeNull();
    expect(ring.after(9)?.epoch).toBe("xyz");
  });
});
