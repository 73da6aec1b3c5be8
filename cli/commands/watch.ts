/** `watch`: changes on stdout as they come, everything about the connection on stderr. */
import process from "node:process";
import { Option } from "commander";
import type { Command } from "commander";
import { createClient } from "../../client/index.ts";
import type { Change, Client, FilterInput, Transport } from "../../client/index.ts";
import { parseExact } from "../../protocol/exact-json.ts";
import { describeChange, describeState } from "../describe.ts";
import { EXIT } from "../exit.ts";
import { ids, list, position, statuses } from "../options.ts";
import type { Session } from "../session.ts";
import { jsonLine, printable } from "../text.ts";

interface WatchOptions {
  readonly json?: true;
  readonly since?: string;
  readonly status?: string[];
  readonly orders?: number[];
  readonly tables?: string[];
  readonly transport?: Transport;
}

/** Where, and as whom. */
export interface Place {
  readonly url: string;
  readonly token?: string;
}

/** Adds `watch` to the program. */
export function addWatch(program: Command, place: () => Place, open: () => Session): void {
  program
    .command("watch")
    .description("print changes as they come, until Ctrl-C; comes back by itself when the connection is lost")
    .option("--json", "one change a line, exactly as it came")
    .option("--since <position>", "go on from a position instead of now", position)
    .option("--status <list>", "only orders with these statuses: pending,shipped", statuses)
    .option("--orders <list>", "only orders with these ids: 1,2", ids)
    .option("--tables <list>", "only these tables: orders,customers", list)
    .addOption(new Option("--transport <name>", "only this one").choices(["websocket", "sse"]))
    .action((options: WatchOptions) => watch(options, place(), open().output));
}

/** Ends the process: with 0 when it is told to end, with 1 when the server refuses for good. */
function watch(options: WatchOptions, place: Place, output: Session["output"]): void {
  const { since, transport } = options;
  const client = createClient({
    ...place,
    filter: filterOf(options),
    // Numbers that JavaScript cannot hold come out with the digits that went in.
    parse: parseExact,
    ...(since === undefined ? {} : { since }),
    ...(transport === undefined ? {} : { transports: [transport] }),
  });
  client.on("changes", ({ changes }) => {
    const shown = changes.filter((change) => !isOwn(change) || options.tables?.includes(change.table));
    const lines = shown.map((change) =>
      options.json ? jsonLine(change) : describeChange(change, output.paint),
    );
    // A batch is one write: a reader of the pipe is woken once.
    if (lines.length > 0) output.line(lines.join("\n"));
  });
  reportConnection(client, place.url, output.note);

  const end = (): void => {
    const { position } = client;
    client.close();
    if (position !== null) output.note(`--since ${position} goes on from here`);
    process.exit(EXIT.ok);
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
}

/** Rowcast's own tables, and those of its start: a probe on its way is nobody's news. */
export function isOwn({ table }: Change): boolean {
  return /^rowcast(_start)?\./.test(table);
}

function reportConnection(client: Client, url: string, note: (text: string) => void): void {
  note(`${url}: ${describeState(client.state.get(), Date.now())}`);
  client.state.subscribe((state) => {
    if (state.name === "stopped" && state.reason === "closed") return;
    note(describeState(state, Date.now()));
    if (state.name === "stopped") process.exit(EXIT.refused);
  });
  client.on("reset", ({ reason, position }) =>
    note(
      `history does not reach back to where we were (${reason}): changes may be missing before ${position}`,
    ),
  );
  client.on("gap", ({ expected, got }) => note(`expected ${expected}, got ${got}: asking again`));
  client.on("error", ({ code, message }) => note(printable(`the server says ${code}: ${message}`)));
}

function filterOf({ status, orders, tables }: WatchOptions): FilterInput {
  return {
    ...(status && { statuses: status }),
    ...(orders && { orderIds: orders }),
    ...(tables && { tables }),
  };
}
