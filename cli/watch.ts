/** `watch`: changes on stdout as they come, everything about the connection on stderr. */
import process from "node:process";
import { styleText } from "node:util";
import { Option } from "commander";
import type { Command } from "commander";
import { createClient } from "../client/index.ts";
import type { Client, FilterInput, Transport } from "../client/index.ts";
import { parseExact } from "../protocol/exact-json.ts";
import { describeChange, describeState } from "./describe.ts";
import type { Paint } from "./describe.ts";
import { address, DEFAULT_URL, ids, list, position } from "./options.ts";

interface WatchOptions {
  readonly url: string;
  readonly token?: string;
  readonly json?: true;
  readonly since?: string;
  readonly status?: string[];
  readonly orders?: number[];
  readonly tables?: string[];
  readonly transport?: Transport;
}

/** Adds `watch` to the program. */
export function addWatch(program: Command): void {
  program
    .command("watch")
    .description("print changes as they come, until Ctrl-C")
    .option("--json", "one change a line, exactly as it came")
    .option("--since <position>", "go on from a position instead of now", position)
    .option("--status <list>", "only orders with these statuses: pending,shipped", list)
    .option("--orders <list>", "only orders with these ids: 1,2", ids)
    .option("--tables <list>", "only these tables: orders,customers", list)
    .addOption(
      new Option("--url <address>", "where Rowcast is")
        .env("ROWCAST_URL")
        .default(DEFAULT_URL)
        .argParser(address),
    )
    .addOption(new Option("--token <jwt>", "who you are, where that is asked").env("ROWCAST_TOKEN"))
    .addOption(new Option("--transport <name>", "only this one").choices(["websocket", "sse"]))
    .action(watch);
}

/** Ends the process: with 0 when it is told to end, with 1 when the server refuses for good. */
function watch(options: WatchOptions): void {
  const { url, since, transport, token } = options;
  const client = createClient({
    url,
    filter: filterOf(options),
    // Numbers that JavaScript cannot hold come out with the digits that went in.
    parse: parseExact,
    ...(token ? { token } : {}), // ROWCAST_TOKEN= is none
    ...(since === undefined ? {} : { since }),
    ...(transport === undefined ? {} : { transports: [transport] }),
  });
  client.on("changes", ({ changes }) => {
    const lines = changes.map((change) =>
      options.json ? JSON.stringify(change) : describeChange(change, paint),
    );
    if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`);
  });
  reportConnection(client, url);

  const end = (): void => {
    const { position } = client;
    client.close();
    if (position !== null) note(`--since ${position} goes on from here`);
    process.exit(0);
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
}

function reportConnection(client: Client, url: string): void {
  note(`${url}: ${describeState(client.state.get(), Date.now())}`);
  client.state.subscribe((state) => {
    if (state.name === "stopped" && state.reason === "closed") return;
    note(describeState(state, Date.now()));
    if (state.name === "stopped") process.exit(1);
  });
  client.on("reset", ({ reason, position }) =>
    note(
      `history does not reach back to where we were (${reason}): changes may be missing before ${position}`,
    ),
  );
  client.on("gap", ({ expected, got }) => note(`expected ${expected}, got ${got}: asking again`));
  client.on("error", ({ code, message }) => note(`the server says ${code}: ${message}`));
}

function filterOf({ status, orders, tables }: WatchOptions): FilterInput {
  return {
    ...(status && { statuses: status }),
    ...(orders && { orderIds: orders }),
    ...(tables && { tables }),
  };
}

/** Coloured only on a terminal; `NO_COLOR` is respected by `styleText`. */
const paint: Paint = (colour, text) => styleText(colour, text, { stream: process.stdout });

function note(text: string): void {
  process.stderr.write(`${styleText("dim", text, { stream: process.stderr })}\n`);
}
