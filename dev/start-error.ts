/** Something that the person at the keyboard can put right: shown as one message, without a stack. */
export class StartError extends Error {
  readonly code = "START";
  override readonly name = "StartError";
}
