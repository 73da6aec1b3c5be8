/** PromQL in files, and what Prometheus reads of a /metrics page. */
import { parser } from "@prometheus-io/lezer-promql";

/** Every `expr` and variable `query` that is PromQL, wherever it is in the value. */
export function expressionsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(expressionsIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === "expr" && typeof member === "string" ? [member] : expressionsIn(member),
  );
}

/**
 * The metrics that an expression asks for.
 *
 * @throws {Error} when it is not PromQL.
 */
export function metricsIn(expression: string): string[] {
  // Grafana puts its own in before Prometheus sees it.
  const text = expression.replaceAll("$__rate_interval", "5m");
  const names = new Set<string>();
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`not PromQL at ${node.from}: ${expression}`);
      if (node.name === "VectorSelector") {
        const identifier = node.node.getChild("Identifier");
        if (!identifier) throw new Error(`no metric is named: ${expression}`);
        names.add(text.slice(identifier.from, identifier.to));
      }
    },
  });
  return [...names];
}

/** Each series of a page in the text format, labels included, and its value. */
export function readExposition(page: string): Map<string, number> {
  const lines = page.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const split = line.lastIndexOf(" ");
      return [line.slice(0, split), Number(line.slice(split + 1))];
    }),
  );
}
