import { expect, test } from "vitest";
import { appendText, classify } from "./deliver.ts";

const state = { source: "db", cursor: "1:1:", last: null, position: "k3v9.7" };

test("200 is accepted and 409 a conflict, both with the log's state", () => {
  expect(classify(200, JSON.stringify(state))).toEqual({ kind: "accepted", state });
  expect(classify(409, JSON.stringify({ type: "about:blank", status: 409, ...state }))).toEqual({
    kind: "conflict",
    state,
  });
});

test.each([
  [200, "<!doctype html>", "refused", "WORKER_URL"],
  [409, "{}", "refused", "WORKER_URL"],
  [401, "{}", "refused", "INGEST_SECRET"],
  [403, "", "refused", "INGEST_SECRET"],
  [404, "", "refused", "WORKER_URL"],
  [302, "", "refused", "WORKER_URL"],
  [400, '{"detail":"changes.0.id: missing"}', "refused", "changes.0.id"],
  [422, '{"title":"Unprocessable"}', "refused", "Unprocessable"],
  [413, "", "too large", "413"],
  [408, "", "failed", "408"],
  [429, "", "failed", "429"],
  [500, "oops", "failed", "500"],
  [503, '{"detail":"the object restarts"}', "failed", "the object restarts"],
  [530, "error code: 1016", "failed", "530"],
] as const)("%i with body %j is %s, and the reason names %s", (status, text, kind, words) => {
  const answer = classify(status, text);
  expect(answer.kind).toBe(kind);
  expect(answer).toHaveProperty("reason", expect.stringContaining(words));
});

test("a batch keeps every digit that Postgres wrote", () => {
  const changes = '[{"id":"1","data":{"n":12345678901234567890.10}}]';
  const text = appendText({ source: 'a"b', from: null, to: "2:2:", changes });
  expect(text).toBe(`{"source":"a\\"b","from":null,"to":"2:2:","changes":${changes}}`);
  expect(JSON.parse(text)).toHaveProperty("source", 'a"b');
});

test("a new epoch says why", () => {
  const text = appendText({ source: "db", from: "1:1:", to: "2:2:", changes: "[]", restart: "gone" });
  expect(JSON.parse(text)).toEqual({ source: "db", from: "1:1:", to: "2:2:", restart: "gone", changes: [] });
});
