/** What a command works with, be it a process of its own or a line typed into the shell. */
import type { Order } from "../protocol/orders.ts";
import type { Api, OrderFields } from "./api.ts";
import { UsageError } from "./exit.ts";
import type { Paint } from "./paint.ts";

export interface Output {
  /** What was asked for, a line of it. Has to be safe to print. */
  readonly line: (text: string) => void;
  /** What there is to say about it; not part of the result. */
  readonly note: (text: string) => void;
  /** How wide a line may be; Infinity where nobody looks. */
  readonly columns: number;
  readonly paint: Paint;
}

export interface Ask {
  /** @throws {Interrupted} on Ctrl-C. */
  confirm(question: string): Promise<boolean>;
  /** Asks for each field. What `known` names is not asked; `shown` is what is there to begin with. */
  fields(known: Partial<OrderFields>, shown?: OrderFields): Promise<OrderFields>;
}

export interface Session {
  readonly api: Api;
  readonly output: Output;
  /** Null where there is nobody to be asked. */
  readonly ask: Ask | null;
  readonly signal: AbortSignal;
  /** Told of orders that were shown: their ids can be completed. */
  readonly saw: (orders: readonly Pick<Order, "id">[]) => void;
}

/** Opens the session of a command whose options have been read. */
export type Open = () => Session;

/** Asks before something that cannot be undone. @throws {UsageError} where nobody can be asked. */
export function confirm({ ask }: Session, question: string): Promise<boolean> {
  if (ask === null) throw new UsageError("There is nobody here to be asked: --yes says that you are sure.");
  return ask.confirm(question);
}
