import { addRandomOrder, isTraffic, toggleTraffic } from "../state/traffic.ts";

/** For demonstrations. */
export function TrafficButtons() {
  return (
    <div class="traffic">
      <button type="button" class="button" onClick={addRandomOrder}>
        Random order
      </button>
      <button
        type="button"
        class="button"
        aria-pressed={isTraffic.value}
        title="Creates orders and moves them along; it touches only its own"
        onClick={toggleTraffic}
      >
        Simulate traffic
      </button>
    </div>
  );
}
