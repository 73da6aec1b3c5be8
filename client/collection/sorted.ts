/**
 * A sorted list that one row more or less costs little, however long it is: in pieces, because moving the rest of an array of
 * 100,000 along costs a tenth of a millisecond each time. Pure.
 */

/** A piece that has grown to so many is cut in two. */
const PIECE = 512;

export class Sorted<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #piece: number;
  /** None is empty. */
  #pieces: T[][] = [];

  /** @param compare gives 0 for the same one only. */
  constructor(compare: (a: T, b: T) => number, piece: number = PIECE) {
    [this.#compare, this.#piece] = [compare, piece];
  }

  /** The first so many. */
  first(limit: number): T[] {
    if (limit === Infinity) return this.#all();
    const found: T[] = [];
    for (const piece of this.#pieces) {
      if (found.length >= limit) break;
      found.push(...piece.slice(0, limit - found.length));
    }
    return found;
  }

  clear(): void {
    this.#pieces = [];
  }

  /** Many at once, at the cost of sorting them and going through the list. */
  addAll(items: Iterable<T>): void {
    const all = this.#all().concat([...items]);
    all.sort(this.#compare); // what is sorted already costs it nothing: it is made for runs
    this.#pieces = [];
    const half = this.#piece / 2;
    for (let at = 0; at < all.length; at += half) this.#pieces.push(all.slice(at, at + half));
  }

  /** Returns how many are before it, as far as that is less than `limit`. */
  add(item: T, limit: number): number {
    const [at, within] = this.#placeOf(item);
    const piece = this.#pieces[at] ?? this.#pieces.at(-1);
    const rank = this.#rank(at, within, limit);
    if (piece === undefined) this.#pieces.push([item]);
    else {
      piece.splice(this.#pieces[at] === undefined ? piece.length : within, 0, item);
      if (piece.length > this.#piece)
        this.#pieces.splice(this.#pieces.indexOf(piece) + 1, 0, piece.splice(this.#piece / 2));
    }
    return rank;
  }

  /** The same; -1 when there is none. */
  remove(item: T, limit: number): number {
    const [at, within] = this.#placeOf(item);
    const piece = this.#pieces[at];
    const present = piece?.[within];
    if (piece === undefined || present === undefined || this.#compare(present, item) !== 0) return -1;
    piece.splice(within, 1);
    if (piece.length === 0) this.#pieces.splice(at, 1);
    return this.#rank(at, within, limit);
  }

  /** Not `flat`, which takes ten times as long. */
  #all(): T[] {
    return ([] as T[]).concat(...this.#pieces);
  }

  #rank(at: number, within: number, limit: number): number {
    let before = within;
    for (let i = 0; i < at && before < limit; i += 1) before += this.#pieces[i]?.length ?? 0;
    return before;
  }

  /** Where it stands, or would: the piece, and the place in it. */
  #placeOf(item: T): [number, number] {
    const at = firstAtLeast(this.#pieces, (piece) => this.#compare(piece.at(-1) as T, item));
    return [at, firstAtLeast(this.#pieces[at] ?? [], (other) => this.#compare(other, item))];
  }
}

/** The place of the first one for which `compare` is not below 0; the length when there is none. */
function firstAtLeast<T>(list: readonly T[], compare: (item: T) => number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(list[middle] as T) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
