import { KEY_WORDS } from "../state/keyboard-keys.ts";
import { setSingleKeys, singleKeys } from "../state/keyboard.ts";
import { type Kind, SIGNS } from "../state/metrics-rates.ts";
import { helpOpen } from "../state/panel.ts";
import { Modal } from "./Modal.tsx";

/** What the keys do, and what the marks mean. */
export function Help() {
  return (
    <Modal labelledBy="help-title" class="help" onClose={close}>
      <h2 id="help-title">Keys</h2>
      <dl class="keys">
        {KEY_WORDS.map(({ keys, what }) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="switch">
        <input
          type="checkbox"
          role="switch"
          checked={singleKeys.value}
          onChange={(event) => setSingleKeys(event.currentTarget.checked)}
        />
        Single keys without Ctrl
      </label>
      <p class="help-note">
        Rows flash when they change: <Mark kind="inserted" /> new, <Mark kind="updated" /> changed,{" "}
        <Mark kind="deleted" /> deleted. What you change is shown at once, and marked until it is saved.
      </p>
      <div class="dialog-actions">
        <button type="button" class="button button-primary" onClick={close}>
          Close
        </button>
      </div>
    </Modal>
  );
}

function close(): void {
  helpOpen.value = false;
}

function Mark({ kind }: { readonly kind: Kind }) {
  return (
    <span class="swatch" data-kind={kind} aria-hidden="true">
      {SIGNS[kind]}
    </span>
  );
}
