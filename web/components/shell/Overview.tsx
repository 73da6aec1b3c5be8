import { Cards } from "../Cards.tsx";
import { Charts } from "../Charts.tsx";

/** All of it at a glance, above the rows. */
export function Overview() {
  return (
    <section class="overview" aria-label="Overview">
      <Cards />
      <Charts />
    </section>
  );
}
