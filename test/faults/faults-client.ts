/** What happens to clients and on their ways to the Worker: to one of them, or to all at once. */
import type { Dice } from "./random.ts";
import type { Follower } from "./follower.ts";
import type { Link } from "./link.ts";
import { NOTHING, type Fault, type Scene } from "./scene.ts";

const SECOND = 1_000;

export const CLIENT_FAULTS: readonly Fault[] = [
  onWays("client: cut", [0, 0], (way) => way.cut()),
  onWays("client: half-open", [0, 0], (way) => way.freeze()),
  onWays("client: never reads", [3 * SECOND, 20 * SECOND], (way) => way.stall()),
  onWays("client: 2 s delay", [4 * SECOND, 12 * SECOND], (way) => way.delay(2 * SECOND)),
  onWays("client: 1 kB/s", [4 * SECOND, 20 * SECOND], (way) => way.throttle(1_000)),
  onWays("client: refused", [2 * SECOND, 8 * SECOND], (way) => {
    way.cut();
    way.refuse();
  }),
  {
    kind: "client: goes away and comes back with its position",
    place: "clients away",
    lasts: [SECOND, 20 * SECOND],
    weight: 4,
    async inflict(scene, dice) {
      const gone = some(scene, dice);
      for (const follower of gone) follower.goAway();
      return () => {
        for (const follower of gone) follower.comeBack();
      };
    },
  },
];

function onWays(kind: string, lasts: Fault["lasts"], spoil: (way: Link) => void): Fault {
  return {
    kind,
    place: "ways of clients",
    lasts,
    weight: 1,
    async inflict(scene, dice) {
      const ways = some(scene, dice).map(({ link }) => link);
      for (const way of ways) spoil(way);
      if (lasts[1] === 0) return NOTHING;
      return () => {
        for (const way of ways) way.heal();
      };
    },
  };
}

/** One client, a few, or all. */
function some({ followers }: Scene, dice: Dice): Follower[] {
  const share = dice.pick([0.1, 0.3, 1]);
  const drawn = followers.filter(() => dice.chance(share));
  return drawn.length > 0 ? drawn : followers.slice(0, 1);
}
