/**
 * The line being typed, at the bottom of the screen: Node's readline, and what it lacks. Text is printed above it without
 * touching it, the prompt changes under the typist's hands, and the screen can be lent to a question and taken back.
 */
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import { MAX_LINES } from "./history.ts";
import { Keys } from "./keys.ts";
import { Screen } from "./screen.ts";

export interface LineOptions {
  readonly input: ReadStream;
  readonly output: WriteStream;
  /** Whether the terminal wraps lines anew when its width changes. */
  readonly wrapsAnew: boolean;
  readonly prompt: string;
  /** The newest first. */
  readonly history: string[];
  readonly complete: (line: string) => Promise<[hits: string[], typed: string]>;
  readonly onLine: (line: string) => void;
  /** Ctrl-C; `line` is what had been typed. */
  readonly onInterrupt: (line: string) => void;
  /** Ctrl-D, or the terminal is gone. */
  readonly onEnd: () => void;
}

export interface Line {
  readonly columns: number;
  /** Above the line. Each has to be safe to print. */
  readonly print: (lines: readonly string[]) => void;
  setPrompt(text: string): void;
  /** Empties the line. */
  clear(): void;
  /** Runs `question` with the screen to itself; what is printed meanwhile comes after it. */
  lend<T>(question: () => Promise<T>): Promise<T>;
  close(): void;
}

const ERASE_BELOW = "\u001B[J";

export function openLine(options: LineOptions): Line {
  const { input, output, wrapsAnew, complete, onLine, onInterrupt, onEnd } = options;
  const screen = new Screen(output);
  let { prompt, history } = options;
  /** Null while the screen is lent, and after the end. */
  let editor: Interface | null = null;
  let isClosed = false;
  const waiting: string[] = [];

  const open = (): void => {
    const opened = createInterface({
      input: new Keys(input),
      output: screen,
      terminal: true,
      prompt,
      history,
      historySize: MAX_LINES,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: Error | null, result: [string[], string]) => void) => {
        complete(line).then(
          (result) => done(null, result),
          () => done(null, [[], line]), // nothing to offer
        );
      },
    });
    opened.on("history", (lines: string[]) => {
      history = lines;
    });
    opened.on("line", (line) => {
      // At once: the next line can be typed, and there is a prompt for whatever is printed above it.
      opened.prompt();
      onLine(line);
    });
    opened.on("SIGINT", () => onInterrupt(opened.line));
    opened.on("close", () => {
      if (editor === opened) end();
    });
    editor = opened;
    opened.prompt();
  };

  const end = (): void => {
    editor = null;
    if (isClosed) return;
    isClosed = true;
    output.off("resize", resize);
    screen.write("\n");
    onEnd();
  };

  /**
   * Goes up to where the prompt begins and erases from there on, does what there is to do, and goes down as far as the
   * cursor was: there readline believes it is, and draws the line again.
   */
  const redraw = (rowsUp: number, rowsDown: number, text: string): void => {
    const up = rowsUp === 0 ? "" : `\u001B[${rowsUp}A`;
    screen.write(`${up}\r${ERASE_BELOW}${text}${"\n".repeat(rowsDown)}`);
  };

  const print = (lines: readonly string[]): void => {
    if (lines.length === 0) return;
    if (editor === null) {
      if (isClosed) screen.write(`${lines.join("\n")}\n`);
      else waiting.push(...lines);
      return;
    }
    const { rows } = editor.getCursorPos();
    const drawn = editor;
    screen.together(() => {
      redraw(rows, rows, `${lines.join("\n")}\n`);
      drawn.prompt(true);
    });
  };

  const resize = (): void => {
    if (editor === null) {
      screen.columns = output.columns;
      return;
    }
    const before = editor.getCursorPos().rows;
    screen.columns = output.columns;
    const after = editor.getCursorPos().rows;
    // Where that is not known, better too little: going up too far would erase what stands above.
    const rowsUp = wrapsAnew ? after : Math.min(before, after);
    screen.together(() => {
      redraw(rowsUp, before, "");
      screen.emit("resize");
    });
  };
  output.on("resize", resize);
  open();

  return {
    get columns() {
      return output.columns;
    },
    print,
    setPrompt: (text) => {
      if (text === prompt) return;
      prompt = text;
      if (editor === null) return;
      editor.setPrompt(text);
      const drawn = editor;
      screen.together(() => drawn.prompt(true));
    },
    clear: () => {
      editor?.write(null, { ctrl: true, name: "e" });
      editor?.write(null, { ctrl: true, name: "u" });
    },
    lend: async (question) => {
      const lent = editor;
      editor = null;
      if (lent !== null) {
        redraw(lent.getCursorPos().rows, 0, "");
        lent.close();
      }
      try {
        return await question();
      } finally {
        if (!isClosed) open();
        print(waiting.splice(0));
      }
    },
    close: () => {
      const closing = editor;
      if (closing === null) end();
      else closing.close();
    },
  };
}
