/** The documents: every link leads somewhere, and configuration.md names what the code reads, no more and no less. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { PROJECT_DIR } from "../../dev/config.ts";
import { SETTINGS } from "../../dev/deploy-settings.ts";
import { Config, readConfig } from "../../listener/config.ts";

const PAGES = globSync("**/*.md", {
  cwd: PROJECT_DIR,
  exclude: (path) => /(^|\/)(node_modules|dist|\.[^/]+)$/.test(path),
}).toSorted();

const text = (path: string): string => readFileSync(join(PROJECT_DIR, path), "utf8");

describe("links", () => {
  test.each(PAGES)("%s: each leads somewhere", (page) => {
    const broken = linksOf(text(page)).filter((link) => !leadsSomewhere(page, link));
    expect(broken).toEqual([]);
  });

  test("docs/README.md names every page of docs/", () => {
    const named = new Set(
      linksOf(text("docs/README.md")).map((link) => join("docs", link.replace(/#.*/, ""))),
    );
    const pages = PAGES.filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
    expect(pages.filter((page) => !named.has(page))).toEqual([]);
  });
});

describe("commands", () => {
  const { scripts } = JSON.parse(text("package.json")) as { scripts: Record<string, string> };

  test.each(PAGES)("%s: each script and file that it names is there", (page) => {
    const prose = text(page);
    const named = [...prose.matchAll(/\bnpm run (?:-s )?([a-z][a-z:]*)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    const folders = "bench|cli|client|deploy|dev|listener|ops|protocol|sql|test|web|worker";
    const paths = [...prose.matchAll(new RegExp(`(?<![\\w./-])((?:${folders})/[\\w./-]*\\w\\.\\w+)`, "g"))];
    const near = (path: string) =>
      [path, join(dirname(page), path)].some((at) => existsSync(join(PROJECT_DIR, at)));
    expect(paths.map(([, path = ""]) => path).filter((path) => !near(path))).toEqual([]);
  });
});

/** Where there are several, wrangler takes the first and only warns: a secret or a rollback for staging would reach production. */
test("each wrangler command that changes a Worker says which environment", () => {
  const files = globSync(
    "{*.md,.*.example,*.toml,{cli,deploy,dev,docs,listener,ops,web,worker}/**/*.{md,ts,example,toml}}",
    {
      cwd: PROJECT_DIR,
      exclude: (path) => /(^|\/)(node_modules|dist)$/.test(path),
    },
  );
  const commands = files.flatMap((file) =>
    [...text(file).matchAll(/npx wrangler (?:secret|rollback|deploy|delete|versions)\b[^`)\n]{0,60}/g)].map(
      ([command]) => `${file}: ${command}`,
    ),
  );
  expect(commands.length).toBeGreaterThan(5);
  expect(commands.filter((command) => !command.includes("--env"))).toEqual([]);
});

describe("docs/configuration.md", () => {
  const sections = new Map(
    text("docs/configuration.md")
      .split(/^## /m)
      .map((section) => [section.split("\n")[0] ?? "", namesIn(section)]),
  );
  const documented = (...titles: string[]) =>
    [...new Set(titles.flatMap((title) => sections.get(title) ?? []))].toSorted();

  test("names each variable of the Worker", () => {
    const env = [...text("worker/env.ts").matchAll(/^ {2}([A-Z][A-Z_]+)\??: string;/gm)].map(
      ([, name = ""]) => name,
    );
    expect(documented("Worker")).toEqual(env.toSorted());
  });

  test("and each binding", () => {
    const page = text("docs/configuration.md");
    const bindings = [...text("worker/env.ts").matchAll(/^ {2}([A-Z][A-Z_]+)\??: (?!string;)/gm)];
    expect(bindings.length).toBeGreaterThan(3);
    for (const [, name] of bindings) expect(page).toContain(`\`${name}\``);
  });

  test("names each variable of the listener, with the default that it has", () => {
    expect(documented("Listener")).toEqual(Object.keys(Config.entries).toSorted());
    const given = { DATABASE_URL: "postgres://u:p@h/d", WORKER_URL: "http://x", INGEST_SECRET: "secret" };
    const rows = text("docs/configuration.md").split("\n");
    for (const [name, value] of Object.entries(readConfig(given))) {
      if (name in given) continue;
      const row =
        rows.find((line) => line.startsWith("|") && line.split("|")[1]?.includes(`\`${name}\``)) ?? "";
      const [, names = "", defaults = ""] = row.split("|");
      const index = names.split(",").findIndex((cell) => cell.includes(`\`${name}\``));
      expect(`${name} ${defaults.split(",")[index]?.replaceAll(/[` ]|:.*/g, "")}`).toBe(`${name} ${value}`);
    }
  });

  test("names everything that deploying reads, and whatever else is set for it", () => {
    expect(documented("Deployment")).toEqual([...SETTINGS, "CLOUDFLARE_API_TOKEN"].toSorted());
  });

  test("names what .dev.vars.example, wrangler.toml and deploy.vars.example name", () => {
    const all = new Set(documented(...sections.keys()));
    const named = [
      ...text(".dev.vars.example").matchAll(/^#?([A-Z][A-Z_]+)=/gm),
      ...text("wrangler.toml").matchAll(/^([A-Z][A-Z_]+) = /gm),
      ...text("deploy/deploy.vars.example").matchAll(/^#?([A-Z][A-Z_]+)=/gm),
      // What moves the local stack.
      ...text("dev/config.ts").matchAll(/(?:pick\(|environment\[)"([A-Z_]+)"/g),
    ].map(([, name = ""]) => name);
    expect(named.filter((name) => !all.has(name))).toEqual([]);
  });

  test(".dev.vars.example and deploy.vars.example name all that the page has for them", () => {
    const example = text(".dev.vars.example");
    const missing = documented("Local stack").filter((name) => !new RegExp(`^#?${name}=`, "m").test(example));
    expect(missing).toEqual(["CHROME_PATH", "MIGRATION_DATABASE_URL"]);
    const settings = text("deploy/deploy.vars.example");
    expect(SETTINGS.filter((name) => !new RegExp(`^#?${name}=`, "m").test(settings))).toEqual([]);
  });
});

/** The names in the first column of a section's tables. */
function namesIn(section: string): string[] {
  return section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) =>
      [...(line.split("|")[1] ?? "").matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, name = ""]) => name),
    );
}

/** Of a page without its code. */
function linksOf(page: string): string[] {
  const prose = page.replaceAll(/^( *)(```|~~~)[^]*?^\1\2/gm, "").replaceAll(/`[^`\n]*`/g, "``");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
}

function leadsSomewhere(page: string, link: string): boolean {
  if (/^(https?|mailto):/.test(link)) return URL.canParse(link); // Whether it answers is not asked: no test needs the network.
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : relative(PROJECT_DIR, resolve(PROJECT_DIR, dirname(page), path));
  if (target.startsWith("..") || !existsSync(join(PROJECT_DIR, target))) return false;
  return anchor === undefined || anchorsOf(text(target)).has(anchor);
}

/** The anchors that GitHub gives headings: lower case, without punctuation, blanks as dashes, repeated ones numbered. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  const prose = page.replaceAll(/^( *)(```|~~~)[^]*?^\1\2/gm, "");
  for (const [, heading = ""] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-");
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}
