/**
 * The keyboard as readline sees it: one character at a time. Of a chunk of several (a paste, a fast typist) Node 24's
 * readline echoes the characters without counting the rows they fill, and draws over what stands above at the next change.
 */
import { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { ReadStream } from "node:tty";

export class Keys extends Readable {
  readonly isTTY = true;
  readonly #terminal: ReadStream;
  readonly #decoder = new StringDecoder("utf8");
  /** Only while readline listens: a question reads the same keyboard. */
  #isReading = false;

  constructor(terminal: ReadStream) {
    super({ objectMode: true, read: () => {} });
    this.#terminal = terminal;
  }

  setRawMode(mode: boolean): this {
    this.#terminal.setRawMode(mode);
    return this;
  }

  override resume(): this {
    if (!this.#isReading) {
      this.#isReading = true;
      this.#terminal.on("data", this.#take);
      this.#terminal.on("end", this.#end);
      this.#terminal.resume();
    }
    return super.resume();
  }

  override pause(): this {
    if (this.#isReading) {
      this.#isReading = false;
      this.#terminal.off("data", this.#take);
      this.#terminal.off("end", this.#end);
      this.#terminal.pause();
    }
    return super.pause();
  }

  readonly #take = (chunk: Buffer | string): void => {
    const text = typeof chunk === "string" ? chunk : this.#decoder.write(chunk);
    const characters = Array.from(text);
    const last = characters.length - 1;
    // A Tab that others follow was pasted: nobody waits for what it would offer.
    for (const [index, character] of characters.entries()) {
      this.push(character === "\t" && index < last ? " " : character);
    }
  };

  readonly #end = (): void => {
    this.push(null);
  };
}
