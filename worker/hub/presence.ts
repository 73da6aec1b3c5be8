/**
 * Where a Hub is, for whoever comes to it: the first makes it known above and learns the position from there, and whoever
 * has seen more than this Hub waits until it has caught up.
 */
import type { Position } from "../../protocol/position.ts";
import type { Audience } from "./audience.ts";
import type { Membership } from "./membership.ts";

export class Presence {
  readonly #audience: Audience;
  readonly #membership: Membership;
  /** A push came while the first client was on its way in: what it brought must be pulled. */
  #missed = false;

  constructor(audience: Audience, membership: Membership) {
    this.#audience = audience;
    this.#membership = membership;
  }

  /** A push came that could not be taken, because nobody is here yet. */
  miss(): void {
    this.#missed = true;
  }

  /** Where this Hub is; the first client makes it known above and learns it from there. */
  async settle(): Promise<Position> {
    const known = this.#audience.position;
    if (this.#membership.isJoined && known !== null && this.#membership.status !== null) return known;
    const position = await this.#membership.join();
    // While the answer was under way, others may have come in and pushes may have been taken.
    if (this.#audience.position === null || this.#audience.size === 0) this.#audience.moveTo(position);
    while (this.#missed) {
      this.#missed = false;
      await this.#audience.pull();
    }
    return this.#audience.position ?? position;
  }

  /** Where this Hub is, once it is as far as a client at `since` may expect. */
  async reach(since: Position | null): Promise<Position> {
    let position = await this.settle();
    // Ahead of this Hub, or of another epoch: perhaps the Hub is what is behind, and who hands on to it too.
    while (since !== null && (position.epoch !== since.epoch || since.seq > position.seq)) {
      await this.#audience.pull();
      const next = await this.settle();
      if (next.epoch === position.epoch && next.seq === position.seq) break;
      position = next;
    }
    return position;
  }

  /** Pulls what there is up to `to`, where the log stands. */
  async catchUp(to: Position): Promise<void> {
    const { position } = this.#audience;
    if (position?.epoch !== to.epoch || position.seq !== to.seq) await this.#audience.pull();
  }
}
