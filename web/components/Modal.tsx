import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  /** The id of its heading. */
  readonly labelledBy: string;
  /** Beside that of all dialogs. */
  readonly class?: string;
  /** At Escape. */
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** The browser's own modal dialog: it traps the focus, closes on Escape and gives the focus back. */
export function Modal({ labelledBy, class: own, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  // a layout effect: what is typed right after the click belongs into the dialog
  useLayoutEffect(() => {
    const element = dialog.current;
    const opener = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      focusBack(opener);
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={own === undefined ? "dialog" : `dialog ${own}`}
      aria-labelledby={labelledBy}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      {children}
    </dialog>
  );
}

/** To where the dialog was opened from, or, when that has gone with its row, to the heading of the table. */
function focusBack(opener: Element | null): void {
  const target = opener?.isConnected ? opener : document.getElementById("orders-title");
  if (target instanceof HTMLElement) target.focus();
}
