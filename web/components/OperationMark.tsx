import type { Operation } from "../../protocol/change.ts";

const SIGNS: Record<Operation, string> = { INSERT: "+", UPDATE: "~", DELETE: "−", TRUNCATE: "×" };
const WORDS: Record<Operation, string> = {
  INSERT: "new",
  UPDATE: "changed",
  DELETE: "deleted",
  TRUNCATE: "emptied",
};

/** The sign of an operation: a form of its own for each, coloured besides. */
export function OperationMark({ operation }: { readonly operation: Operation }) {
  return (
    <span class="mark" data-operation={operation} title={WORDS[operation]}>
      <span aria-hidden="true">{SIGNS[operation]}</span>
      <span class="sr-only">{WORDS[operation]}</span>
    </span>
  );
}
