import { useLayoutEffect, useRef } from "preact/hooks";
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import { statusMenu, type StatusMenuRequest } from "../state/orders-menu.ts";
import { StatusMark } from "./StatusMark.tsx";

/** The menu of statuses, at the button that asked for it. */
export function StatusMenu() {
  const request = statusMenu.value;
  return request && <Menu key={request.label} {...request} />;
}

/** The browser's own popover: above everything, and gone with Escape or a click elsewhere. */
function Menu({ anchor, label, current, pick }: StatusMenuRequest) {
  const menu = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = menu.current;
    if (!element) return undefined;
    element.showPopover();
    // the row may move under the menu, with the page or with what comes in above it
    let frame = 0;
    const follow = () => {
      if (anchor.isConnected) place(element, anchor);
      frame = requestAnimationFrame(follow);
    };
    follow();
    const start =
      element.querySelector<HTMLElement>("[aria-checked=true]") ?? element.querySelector("button");
    start?.focus({ preventScroll: true });
    return () => {
      cancelAnimationFrame(frame);
      const hadFocus = element.contains(document.activeElement) || document.activeElement === document.body;
      if (hadFocus && anchor.isConnected) anchor.focus({ preventScroll: true });
    };
  }, [anchor]);

  return (
    <div
      ref={menu}
      popover="auto"
      role="menu"
      class="menu"
      aria-label={label}
      onKeyDown={(event) => {
        if (walk(event.currentTarget, event.key)) event.preventDefault();
        event.stopPropagation();
      }}
      onToggle={(event) => {
        if (event.newState === "closed") close();
      }}
    >
      {ORDER_STATUSES.map((status) => (
        <button
          key={status}
          type="button"
          role="menuitemradio"
          class="menu-item"
          aria-checked={status === current}
          tabIndex={-1}
          onClick={() => {
            close();
            pick(status);
          }}
        >
          <StatusMark status={status} />
        </button>
      ))}
    </div>
  );
}

function close(): void {
  statusMenu.value = null;
}

/** Beneath the button, or above it where there is more room. */
function place(menu: HTMLElement, anchor: HTMLElement): void {
  const at = anchor.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = at.bottom + 4;
  const top = below + height > innerHeight && at.top > height ? at.top - height - 4 : below;
  menu.style.top = `${Math.max(4, Math.min(top, innerHeight - height - 4))}px`;
  menu.style.left = `${Math.max(4, Math.min(at.left, innerWidth - width - 4))}px`;
}

/** Arrows, the ends, and the first letter of a status. @returns whether the key meant something. */
function walk(menu: HTMLElement, key: string): boolean {
  const items = [...menu.querySelectorAll<HTMLElement>("button")];
  const at = items.findIndex((item) => item === document.activeElement);
  const to = (index: number) => {
    items[(index + items.length) % items.length]?.focus();
    return true;
  };
  if (key === "ArrowDown") return to(at + 1);
  if (key === "ArrowUp") return to(at - 1);
  if (key === "Home") return to(0);
  if (key === "End") return to(-1);
  if (key === "Tab") {
    close();
    return true;
  }
  if (key.length !== 1 || key === " ") return false;
  const start = (item: HTMLElement) => item.innerText.toLowerCase().startsWith(key.toLowerCase());
  const next = [...items.slice(at + 1), ...items.slice(0, at + 1)].find(start);
  next?.focus();
  return next !== undefined;
}
