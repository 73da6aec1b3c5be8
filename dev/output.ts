/** The terminal of `npm start`: every line says who speaks. */
import { styleText } from "node:util";
import { prettyFactory } from "pino-pretty";

const WIDTH = 8;
const COLOURS = {
  rowcast: "bold",
  postgres: "blue",
  web: "magenta",
  worker: "yellow",
  listener: "cyan",
} as const;
export type Speaker = keyof typeof COLOURS;
export type Say = (speaker: Speaker, line: string) => void;

/** Prints a line behind the name of who says it. Colour only where the terminal has it. */
export function printLine(speaker: Speaker, line: string): void {
  const name = styleText(COLOURS[speaker], speaker.padEnd(WIDTH), { stream: process.stdout });
  process.stdout.write(`${name} | ${line}\n`);
}

const prettify = prettyFactory({
  colorize: false,
  ignore: "pid,hostname,name",
  translateTime: "SYS:HH:MM:ss",
  singleLine: true,
});

/** A structured log line as people read it; any other line as it is. */
export function readable(line: string): string {
  return line.startsWith("{") ? prettify(line).trimEnd() : line;
}
