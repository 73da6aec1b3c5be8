/** What a fault may lay its hands on. */
import type { Dice } from "./random.ts";
import type { Follower } from "./follower.ts";
import type { Ground } from "./ground.ts";
import type { Truth, Window } from "./truth.ts";
import type { Writers } from "./writer.ts";

export interface Scene {
  readonly ground: Ground;
  readonly followers: readonly Follower[];
  readonly writers: Writers;
  readonly truth: Truth;
  /** What a new epoch may have left out of the stream. */
  readonly windows: Window[];
  /** Writers rest until every client that is there has everything. Resolves with the snapshot of that moment. */
  calm(): Promise<string>;
}

export interface Fault {
  readonly kind: string;
  /** Of two faults with the same place only one is there at a time. */
  readonly place: string;
  /** How long it lasts, in ms, shortest and longest. */
  readonly lasts: readonly [number, number];
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  /** All others are ended first. */
  readonly alone?: boolean;
  /** Does it. Resolves with what ends it. */
  inflict(scene: Scene, dice: Dice): Promise<() => Promise<void> | void>;
}

export const NOTHING = (): void => undefined;
