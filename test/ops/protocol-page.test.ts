/** docs/protocol.md against protocol/: every frame, close code and limit it names, and none that is not there. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { CloseCode } from "../../protocol/close-codes.ts";
import { MAX_FILTER_VALUES } from "../../protocol/filter-schema.ts";
import { MAX_CLIENT_FRAME } from "../../protocol/frames.ts";
import { ClientMessage, ResetReason, ServerMessage } from "../../protocol/messages.ts";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";

const page = await readFile(new URL("../../docs/protocol.md", import.meta.url), "utf8");
const found = (pattern: RegExp) => new Set([...page.matchAll(pattern)].map(([, name]) => name));

test("it lists every frame of the server's", () => {
  const types = ServerMessage.options.map(({ entries }) => entries.type.literal);
  expect(found(/^\| `(\w+)` \|/gm)).toEqual(new Set(types));
});

test("it lists every frame of the client's", () => {
  const types = ClientMessage.options.map(({ entries }) => entries.type.literal);
  expect(found(/^\| `\{"type":"(\w+)"/gm)).toEqual(new Set(types));
});

test("it lists every close code", () => {
  expect(found(/^\| (4\d{3}) \|/gm)).toEqual(new Set(Object.values(CloseCode).map(String)));
});

test("its frames are frames, and its limits the ones that hold", async () => {
  for (const [text] of page.matchAll(/(?<=^\| `)\{"type".*?\}(?=`)/gm)) {
    expect(ClientMessage["~standard"].validate(JSON.parse(text)), text).not.toHaveProperty("issues");
  }
  for (const reason of ResetReason.options) expect(page).toContain(`\`${reason}\``);
  expect(page).toContain(`at most ${MAX_CLIENT_FRAME.toLocaleString("en")} characters`);
  expect(page).toContain(`hold ${MAX_FILTER_VALUES.toLocaleString("en")} values`);
  expect(page).toContain(`"protocol":${PROTOCOL_VERSION}}`);
});
