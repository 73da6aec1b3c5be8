/** Colours, where there is a terminal that shows them: `styleText` looks at the stream, NO_COLOR and FORCE_COLOR. */
import { styleText } from "node:util";

export type Colour = "green" | "yellow" | "red" | "magenta" | "cyan" | "dim" | "bold";
export type Paint = (colour: Colour, text: string) => string;

/** For text that goes to `stream`. */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  return (colour, text) => styleText(colour, text, { stream });
}
