/** What the shell says of the connection, and of the listener behind it: once when something is wrong, once when it is well. */
import type { Client } from "../../client/index.ts";
import { printable } from "../text.ts";

/** Says once that the connection is lost, and once that it is back; the prompt shows the tries between. */
export function followConnection(client: Client, note: (text: string) => void): void {
  let isLost = false;
  let isWhole = true;
  client.on("reset", ({ reason }) => {
    isWhole = false;
    note(`History does not reach back to where we were (${reason}): some changes were not shown.`);
  });
  client.state.subscribe((state) => {
    if (state.name === "waiting" && !isLost) {
      isLost = true;
      isWhole = true;
      note(`Not connected: ${printable(state.reason)}. It goes on trying; what is missed comes then.`);
    } else if (state.name === "live" && isLost) {
      isLost = false;
      note(isWhole ? "Connected again: nothing was missed." : "Connected again.");
    } else if (state.name === "stopped" && state.reason !== "closed") {
      note(`No live changes: ${printable(state.reason)}`);
    }
  });
  let listener = client.status.get()?.listener;
  client.status.subscribe((status) => {
    if (status === null || status.listener === listener) return;
    if (status.listener === "down") note("The listener is down: changes may come up to 2 s late.");
    if (listener === "down") note("The listener is back.");
    listener = status.listener;
  });
}
