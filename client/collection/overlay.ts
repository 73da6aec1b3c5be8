import type { Key } from "../rows.ts";
import type { Outbox } from "./outbox.ts";

/** A row as it is shown when the server has this one (undefined: none): with every write that is not confirmed, in their order. Pure. */
export function overlaid<R>(outbox: Outbox<R>, key: Key, row: R | undefined): R | undefined {
  let shown = row;
  for (const write of outbox) {
    if (write.twin === key) shown = undefined;
    if (write.key !== key) continue;
    if (write.kind === "create") shown ??= write.answer?.data ?? write.base;
    else if (write.kind === "remove") shown = undefined;
    else if (shown !== undefined) shown = { ...shown, ...write.fields };
  }
  return shown;
}

/** Whether a row is shown otherwise than the server has it. */
export function isOverlaid<R>(outbox: Outbox<R>, key: Key): boolean {
  return outbox.some((write) => write.key === key || write.twin === key);
}
