/** The last transactions that the stream has brought: a write may be answered after its change has come. */
export class Recent {
  readonly #max: number;
  readonly #xids = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  add(xid: string): void {
    this.#xids.add(xid);
    if (this.#xids.size > this.#max) for (const oldest of this.#xids) if (this.#xids.delete(oldest)) break;
  }

  has(xid: string): boolean {
    return this.#xids.has(xid);
  }
}
