/** What a listener that really runs shows, and that its dashboard, alerts and documents speak of nothing else. */
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { findFreePort } from "../../dev/ports.ts";
import { setStage } from "../listener/stage.ts";
import { startListener } from "../listener/listener-process.ts";
import { expressionsIn, metricsIn, readExposition } from "./promql.ts";

const stage = setStage();
const file = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

/** `rowcast_listener_changes_total` and what else a series may be called, with their values. */
async function scrape(port: number) {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get("Content-Type")).toContain("text/plain");
  return readExposition(await response.text());
}

async function health(port: number) {
  const response = await fetch(`http://127.0.0.1:${port}/healthz`);
  return { status: response.status, body: await response.json() };
}

describe("a listener with METRICS_PORT", () => {
  it("counts what it delivers, and says where it stands", async () => {
    const log = await stage.openLog();
    const port = await findFreePort();
    await stage.startReady(log, { METRICS_PORT: String(port) });
    const before = log.changes.length;
    log.fail(503);
    await stage.insert(3);
    await log.until(() => log.changes.length === before + 3);
    expect(await health(port)).toEqual({
      status: 200,
      body: { ok: true, state: "live", withoutPostgresMs: null },
    });
    expect((await scrape(port)).get("rowcast_listener_outbox_oldest_age_ms")).toBeGreaterThan(0);
    await expect.poll(async () => (await scrape(port)).get("rowcast_listener_changes_total")).toBe(3);
    const series = await scrape(port);
    const value = (name: string) => series.get(`rowcast_listener_${name}`);
    expect(value('state{state="live"}')).toBe(1);
    expect(value('state{state="asleep"}')).toBe(0);
    expect(value('retries_total{side="worker"}')).toBe(1);
    expect(value('retries_total{side="postgres"}')).toBe(0);
    expect(value("connections_total")).toBe(1);
    expect(value("epochs_total")).toBe(1);
    expect(value("batch_changes_sum")).toBe(3);
    expect(value("lag_ms_count")).toBe(value("batches_total"));
    expect(value("drain_ms_count")).toBeGreaterThan(0);
    expect(value("post_ms_count")).toBeGreaterThan(value("batches_total") ?? 0);
    expect(value("doorbells_total")).toBeGreaterThan(0);
    const { rows } = await stage.database.client.query<{ count: string }>(
      "SELECT count(*) FROM rowcast.changes",
    );
    expect(value("outbox_rows")).toBe(Number(rows[0]?.count));
    expect(value("outbox_oldest_age_ms")).toBeGreaterThan(0);
    expect(series.has("process_cpu_seconds_total")).toBe(true);
  });

  it("is healthy while it looks for Postgres, and says for how long", async () => {
    const [port, nowhere] = [await findFreePort(), await findFreePort()];
    const listener = startListener({
      DATABASE_URL: `postgres://u:p@127.0.0.1:${nowhere}/db`,
      WORKER_URL: "http://x",
      METRICS_PORT: String(port),
    });
    await listener.line("reconnecting to Postgres");
    expect(await health(port)).toEqual({
      status: 200,
      body: { ok: true, state: "connecting", withoutPostgresMs: expect.any(Number) },
    });
    expect((await scrape(port)).get('rowcast_listener_retries_total{side="postgres"}')).toBeGreaterThan(0);
  });

  it("does not start on a port that is taken, and says so", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void taken.close());
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const listener = startListener({
      DATABASE_URL: stage.database.logins.listener,
      WORKER_URL: "http://x",
      METRICS_PORT: String(port),
    });
    const { code, stderr } = await listener.exited;
    expect(code).toBe(2);
    expect(stderr).toContain(`METRICS_PORT ${port} on 127.0.0.1 is taken: choose another, or 0 for none`);
  });
});

describe("what is said about the metrics", () => {
  let shown: Set<string>;
  let operations: string;
  beforeAll(async () => {
    operations = await file("docs/operations.md");
  });

  /** Once, by a test: a listener lives only as long as the test that started it. */
  async function metricsShown(): Promise<Set<string>> {
    const log = await stage.openLog();
    const port = await findFreePort();
    await stage.startReady(log, { METRICS_PORT: String(port) });
    return new Set([...(await scrape(port)).keys()].map((series) => series.replace(/\{.*/, "")));
  }

  test("the dashboard and the alerts ask only for metrics that are there, and every metric is explained", async () => {
    shown = await metricsShown();
    const dashboard = expressionsIn(JSON.parse(await file("ops/grafana/rowcast.json")));
    const alerts = expressionsIn(parse(await file("ops/prometheus/alerts.yml")));
    expect(dashboard.length).toBeGreaterThan(10);
    expect(alerts.length).toBeGreaterThan(5);
    const own = [...shown].filter((name) => name.startsWith("rowcast_"));
    for (const expression of [...dashboard, ...alerts]) {
      for (const metric of metricsIn(expression)) {
        // `up` is Prometheus' own, of every target.
        if (metric !== "up") expect(shown, expression).toContain(metric);
      }
    }
    const families = new Set(own.map((name) => name.replace(/_(bucket|sum|count)$/, "")));
    const drawn = new Set(
      dashboard.flatMap(metricsIn).map((name) => name.replace(/_(bucket|sum|count)$/, "")),
    );
    const explained = new Set([...operations.matchAll(/^\| `(rowcast_\w+)/gm)].map(([, name]) => name));
    expect(drawn).toEqual(new Set([...drawn, ...families]));
    expect(explained).toEqual(families);
  });

  test("every alert has a case in which it comes, and one in which it does not", async () => {
    type Tests = { alert_rule_test: { alertname: string; exp_alerts: object[] }[] }[];
    const { groups } = parse(await file("ops/prometheus/alerts.yml")) as {
      groups: { rules: { alert: string }[] }[];
    };
    const { tests } = parse(await file("ops/prometheus/alerts.test.yml")) as { tests: Tests };
    const cases = tests.flatMap((each) => each.alert_rule_test);
    for (const { alert } of groups.flatMap(({ rules }) => rules)) {
      const counts = cases.filter(({ alertname }) => alertname === alert).map((one) => one.exp_alerts.length);
      expect(Math.min(...counts), alert).toBe(0);
      expect(Math.max(...counts), alert).toBe(1);
    }
  });

  test("every alert leads to a part of the runbook that exists", async () => {
    const { groups } = parse(await file("ops/prometheus/alerts.yml")) as {
      groups: { rules: { alert: string; annotations: { summary: string; runbook_url: string } }[] }[];
    };
    const anchors = [...operations.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w -]/g, "")
        .replaceAll(" ", "-"),
    );
    const rules = groups.flatMap(({ rules }) => rules);
    for (const { alert, annotations } of rules) {
      const [, anchor] = /docs\/operations\.md#([\w-]+)$/.exec(annotations.runbook_url) ?? [];
      expect(anchors, alert).toContain(anchor);
      expect(annotations.summary, alert).not.toBe("");
    }
    expect(new Set(rules.map(({ annotations }) => annotations.runbook_url.split("#")[1]))).toEqual(
      new Set([
        "epoch-changed",
        "lag-high",
        "listener-down",
        "outbox-growing",
        "post-failing",
        "prune-behind",
        "reconnecting",
      ]),
    );
  });
});
