/** What there is, and what happens, in a few numbers that move with the stream. */
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import { staleSince } from "../state/connection.ts";
import { milliseconds } from "../state/latency-histogram.ts";
import { latencySummary } from "../state/latency.ts";
import { KINDS, SIGNS } from "../state/metrics-rates.ts";
import { lastMinute } from "../state/metrics.ts";
import { counts, loadState } from "../state/orders.ts";
import { clockTime } from "../state/times.ts";
import { StatusMark } from "./StatusMark.tsx";

const NUMBER = new Intl.NumberFormat();

export function Cards() {
  return (
    <>
      <OrdersCard />
      <CustomersCard />
      <ChangesCard />
      <LatencyCard />
    </>
  );
}

/** Before the first load nothing is known, and a zero would be a claim. */
const isKnown = () => loadState.value !== "loading" || counts.value.all > 0;
const shown = (value: number) => (isKnown() ? NUMBER.format(value) : "–");

/** Numbers that are not kept up say from when they are. */
function AsOf() {
  const since = staleSince.value;
  return since === null ? null : <span class="card-note">as of {clockTime(since)}</span>;
}

function OrdersCard() {
  const { all, byStatus } = counts.value;
  return (
    <section class="card card-orders" aria-labelledby="card-orders">
      <h2 id="card-orders" class="card-title">
        Orders in all <AsOf />
      </h2>
      <p class="card-figure" data-testid="card-orders">
        {shown(all)}
      </p>
      <div class="share" aria-hidden="true">
        {ORDER_STATUSES.map((status) => (
          <span key={status} data-share={status} style={{ flexGrow: byStatus[status] }} />
        ))}
      </div>
      <dl class="shares">
        {ORDER_STATUSES.map((status) => (
          <div key={status} data-share={status}>
            <dt>
              <StatusMark status={status} />
            </dt>
            <dd data-testid={`card-${status}`}>{shown(byStatus[status])}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function CustomersCard() {
  return (
    <section class="card" aria-labelledby="card-customers">
      <h2 id="card-customers" class="card-title">
        Customers
      </h2>
      <p class="card-figure" data-testid="card-customers">
        {shown(counts.value.customers)}
      </p>
      <p class="card-note">different names</p>
    </section>
  );
}

function ChangesCard() {
  const sums = lastMinute.value;
  const all = KINDS.reduce((sum, kind) => sum + sums[kind], 0);
  return (
    <section class="card" aria-labelledby="card-changes">
      <h2 id="card-changes" class="card-title">
        Changes a minute
      </h2>
      <p class="card-figure" data-testid="card-changes">
        {NUMBER.format(all)}
      </p>
      <p class="card-note kinds">
        {KINDS.map((kind) => (
          <span key={kind} data-kind={kind}>
            <span aria-hidden="true">{SIGNS[kind]}</span>
            {NUMBER.format(sums[kind])}
            <span class="sr-only"> {kind}, </span>
          </span>
        ))}
      </p>
    </section>
  );
}

function LatencyCard() {
  const { median, most } = latencySummary.value;
  return (
    <section class="card" aria-labelledby="card-latency">
      <h2 id="card-latency" class="card-title">
        Commit to screen
      </h2>
      <p class="card-figure" data-testid="card-latency">
        {median === null ? "–" : milliseconds(median)}
      </p>
      <p class="card-note">{most === null ? "median" : `95 % in ${milliseconds(most)}`}</p>
    </section>
  );
}
