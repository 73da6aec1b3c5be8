/** Questions at a terminal. While one is open, nothing else may write to the screen. */
import process from "node:process";
import { confirm, isCancel, select, text } from "@clack/prompts";
import { ORDER_STATUSES } from "../protocol/order-status.ts";
import type { OrderFields } from "./api.ts";
import { Interrupted } from "./exit.ts";
import { amount as readAmount } from "./options.ts";
import type { Ask } from "./session.ts";
import { restoreTerminal } from "./terminal.ts";
import { printable } from "./text.ts";

/** For a process with a terminal on both sides. */
export function askAtTerminal(signal: AbortSignal): Ask {
  const answered = async <T>(question: Promise<T>): Promise<Exclude<T, symbol>> => {
    const terminate = (): void => {
      restoreTerminal();
      process.exit(128 + 15);
    };
    process.once("SIGTERM", terminate);
    try {
      const answer = await question;
      if (isCancel(answer)) throw new Interrupted();
      return answer as Exclude<T, symbol>;
    } finally {
      process.off("SIGTERM", terminate);
    }
  };

  const name = async (message: string, known: string | undefined, shown: string | undefined) => {
    if (known !== undefined) return known;
    // What cannot be shown as it is cannot be edited here either: it is kept, or replaced.
    const isKept = shown !== undefined && printable(shown) !== shown;
    const answer = await answered(
      text({
        message: isKept ? `${message} (nothing keeps ${printable(shown)})` : message,
        ...(shown !== undefined && !isKept && { initialValue: shown }),
        validate: (value) => (isKept || value?.trim() ? undefined : "It may not be empty."),
        signal,
      }),
    );
    return isKept && answer === "" ? shown : answer;
  };

  const amount = async (known: number | null | undefined, shown: number | null | undefined) => {
    if (known !== undefined) return known;
    const answer = await answered(
      text({
        message: "Amount",
        placeholder: "none",
        ...(typeof shown === "number" && { initialValue: String(shown) }),
        validate: (value) => whyNot(() => readAmount(value?.trim() || "none")),
        signal,
      }),
    );
    const read = readAmount(answer.trim() || "none");
    return read === "none" ? null : read;
  };

  return {
    confirm: (message) => answered(confirm({ message, initialValue: false, signal })),
    fields: async (known, shown): Promise<OrderFields> => ({
      customer_name: await name("Customer", known.customer_name, shown?.customer_name),
      product_name: await name("Product", known.product_name, shown?.product_name),
      status:
        known.status ??
        (await answered(
          select({
            message: "Status",
            options: ORDER_STATUSES.map((status) => ({ value: status })),
            initialValue: shown?.status ?? "pending",
            signal,
          }),
        )),
      amount: await amount(known.amount, shown?.amount),
    }),
  };
}

function whyNot(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
