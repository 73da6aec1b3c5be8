import { signal } from "@preact/signals";
import { announcement, feed } from "../state/feed.ts";
import { total } from "../state/orders.ts";
import { Dialogs } from "./Dialogs.tsx";
import { Feed } from "./Feed.tsx";
import { Header } from "./Header.tsx";
import { Orders } from "./Orders.tsx";
import { StaleNotice } from "./StaleNotice.tsx";
import { Toast } from "./Toast.tsx";

/** On a narrow screen one of the two is shown. */
const view = signal<"orders" | "changes">("orders");

export function App() {
  return (
    <>
      <Header />
      <StaleNotice />
      <ViewSwitch />
      <main class="panes" data-view={view}>
        <Orders />
        <Feed />
      </main>
      <Dialogs />
      <Toast />
      <p class="sr-only" aria-live="polite">
        {announcement}
      </p>
    </>
  );
}

function ViewSwitch() {
  return (
    <nav class="view-switch" aria-label="View">
      <button
        type="button"
        aria-pressed={view.value === "orders"}
        onClick={() => {
          view.value = "orders";
        }}
      >
        Orders <span class="count">{total.value.toLocaleString()}</span>
      </button>
      <button
        type="button"
        aria-pressed={view.value === "changes"}
        onClick={() => {
          view.value = "changes";
        }}
      >
        Changes <span class="count">{feed.value.length}</span>
      </button>
    </nav>
  );
}
