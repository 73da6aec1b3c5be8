/** The prompt: it says what the connection is when it is not well. Pure. */
import type { ConnectionState } from "../../client/index.ts";
import type { Paint } from "../paint.ts";

export interface PromptFacts {
  readonly state: ConnectionState;
  /** ms since 1970. */
  readonly now: number;
  /** A command has been running for a while. */
  readonly isBusy: boolean;
}

/** `rowcast> `, `rowcast (not connected, again in 3 s)> `. */
export function promptText(facts: PromptFacts, paint: Paint): string {
  const about = [connection(facts), facts.isBusy ? "working" : ""].filter((part) => part !== "").join(", ");
  const name = paint("bold", "rowcast");
  return about === "" ? `${name}> ` : `${name} ${paint("yellow", `(${about})`)}> `;
}

function connection({ state, now }: PromptFacts): string {
  switch (state.name) {
    case "live":
    case "catching-up":
      return "";
    case "connecting":
      return "connecting";
    case "waiting":
      return `not connected, again in ${Math.max(1, Math.ceil((state.retryAt - now) / 1000))} s`;
    case "offline":
      return "offline";
    default:
      return "no live changes";
  }
}
