/** The terminal as readline sees it: what belongs together is written at once, and the width changes when we say so. */
import { Writable } from "node:stream";
import type { WriteStream } from "node:tty";

export class Screen extends Writable {
  readonly isTTY = true;
  /** What the line on the screen was drawn for. */
  columns: number;
  readonly #terminal: WriteStream;
  #held: string[] | null = null;

  constructor(terminal: WriteStream) {
    super({ decodeStrings: false });
    this.#terminal = terminal;
    this.columns = terminal.columns;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    if (this.#held) this.#held.push(chunk);
    else this.#terminal.write(chunk);
    done();
  }

  /** Writes all that `draw` writes as one piece, so that no half of it is ever seen. */
  together(draw: () => void): void {
    const held: string[] = [];
    this.#held = held;
    try {
      draw();
    } finally {
      this.#held = null;
      this.#terminal.write(held.join(""));
    }
  }
}
