/** The interactive terminal: a line to type commands on, and above it what they answer and what changes, as it happens. */
import process from "node:process";
import { createClient } from "../../client/index.ts";
import type { FilterInput } from "../../client/index.ts";
import { parseExact } from "../../protocol/exact-json.ts";
import { changePasses, toFilter } from "../../protocol/filter.ts";
import { createApi } from "../api.ts";
import type { Place } from "../commands/watch.ts";
import { isOwn } from "../commands/watch.ts";
import { describeChange, describeState } from "../describe.ts";
import { paintFor } from "../paint.ts";
import { EXIT } from "../exit.ts";
import { describeTrouble } from "../problem.ts";
import { askAtTerminal } from "../questions.ts";
import type { Output, Session } from "../session.ts";
import { restoreTerminal } from "../terminal.ts";
import { printable } from "../text.ts";
import { shellProgram } from "./commands.ts";
import type { Controls } from "./commands.ts";
import { complete } from "./complete.ts";
import { historyFile, openHistory } from "./history.ts";
import { knownIds } from "./known-ids.ts";
import { openLine } from "./line.ts";
import { runLine } from "./lines.ts";
import { liveLines } from "./live.ts";
import { promptText } from "./prompt.ts";
import { wrapsAnew } from "./reflow.ts";
import { followConnection } from "./follow.ts";
import { shapesOf } from "./shapes.ts";

/** A command that is faster does not change the prompt. */
const BUSY_MS = 300;

/** Runs until the user ends it; needs a terminal on both sides. */
export async function runShell(place: Place): Promise<void> {
  const paint = paintFor(process.stdout);
  const history = await openHistory(historyFile(process.env));
  const client = createClient({ ...place, parse: parseExact });
  const known = knownIds((signal) => createApi({ ...place, signal }));
  let shown: FilterInput | null = {};
  /** Of the command that runs. */
  let running: AbortController | null = null;
  let isBusy = false;
  let queue: string[] = [];
  let ended = (): void => {};
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });

  const facts = () => ({ state: client.state.get(), now: Date.now(), isBusy });
  const line = openLine({
    input: process.stdin,
    output: process.stdout,
    wrapsAnew: wrapsAnew(process.env),
    prompt: promptText(facts(), paint),
    history: history.lines,
    complete: async (text) => {
      const ids = await known.list();
      return complete(text, shapesOf(program(new AbortController().signal)), ids);
    },
    onLine: (text) => {
      history.add(text);
      queue.push(text);
      void work();
    },
    onInterrupt: (typed) => {
      if (running !== null) {
        queue = [];
        running.abort();
      } else if (typed !== "") line.clear();
      else if (shown !== null) controls.watch(null);
      else note("Ctrl-D or quit ends it.");
    },
    onEnd: () => {
      running?.abort();
      ended();
    },
  });

  const note = (text: string): void => line.print(text.split("\n").map((text) => paint("dim", text)));
  const output = (): Output => ({
    line: (text) => line.print(text.split("\n")),
    note,
    // A line that is as wide as the terminal makes some of them add an empty one.
    columns: line.columns - 1,
    paint,
  });
  const live = liveLines({
    print: line.print,
    describe: (change) => describeChange(change, paint),
    setTimeout,
  });

  const lend = async <T>(question: () => Promise<T>): Promise<T> => {
    live.hold();
    try {
      return await line.lend(question);
    } finally {
      live.release();
    }
  };
  const session = (signal: AbortSignal): Session => {
    const ask = askAtTerminal(signal);
    const onPause = (seconds: number): void => note(`too many requests: going on in ${seconds} s`);
    return {
      api: createApi({ ...place, signal, onPause }),
      output: output(),
      ask: {
        confirm: (question) => lend(() => ask.confirm(question)),
        fields: (given, shown) => lend(() => ask.fields(given, shown)),
      },
      signal,
      saw: (orders) => known.add(orders.map(({ id }) => id)),
    };
  };
  const controls: Controls = {
    watch: (filter) => {
      shown = filter;
      if (filter === null) note("Changes are not shown any more; watch shows them again.");
      else note(toFilter(filter) === null ? "Showing all changes." : "Showing only these changes.");
    },
    quit: () => line.close(),
    connection: () => [["here", describeState(client.state.get(), Date.now())]],
  };
  const program = (signal: AbortSignal) => shellProgram(() => session(signal), output(), controls);

  /** One command at a time, in the order in which they were typed. */
  const work = async (): Promise<void> => {
    if (running !== null) return;
    for (let text = queue.shift(); text !== undefined; text = queue.shift()) {
      running = new AbortController();
      const slow = setTimeout(() => setBusy(true), BUSY_MS);
      try {
        await runLine(program(running.signal), text);
      } catch (error) {
        const trouble = describeTrouble(error, paint);
        // A bug of ours is no reason to take the terminal away.
        line.print(trouble?.lines ?? [paint("red", printable(`Unexpected: ${String(error)}`))]);
      } finally {
        running = null;
        clearTimeout(slow);
        setBusy(false);
      }
    }
  };
  const setBusy = (next: boolean): void => {
    isBusy = next;
    line.setPrompt(promptText(facts(), paint));
  };

  client.on("changes", ({ changes }) => {
    known.add(changes.flatMap(({ table, key }) => (table === "orders" ? [Number(key?.["id"])] : [])));
    if (shown === null) return;
    const filter = toFilter(shown);
    live.add(changes.filter((change) => !isOwn(change) && changePasses(filter, change)));
  });
  followConnection(client, note);
  client.state.subscribe(() => line.setPrompt(promptText(facts(), paint)));
  // The seconds until the next try go by.
  const clock = setInterval(() => line.setPrompt(promptText(facts(), paint)), 1000);
  const terminate = (): void => {
    restoreTerminal();
    process.exit(128 + 15);
  };
  process.once("SIGTERM", terminate);
  note(`${place.url}. Changes appear here as they happen; help lists the commands, Ctrl-D ends.`);

  await end;
  clearInterval(clock);
  process.off("SIGTERM", terminate);
  client.close();
  restoreTerminal();
  await history.isKept();
  // The server takes its time to say goodbye; the user has gone.
  process.exit(EXIT.ok);
}
