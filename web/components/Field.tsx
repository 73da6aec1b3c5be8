/** A field of a form: its label, and what is wrong with it right beneath. */
import type { ComponentChildren } from "preact";

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly issue: string | undefined;
  readonly onInput: (value: string) => void;
}

interface InputProps extends FieldProps {
  readonly hint?: string;
  readonly inputMode?: "decimal";
  readonly autoFocus?: boolean;
}

export function InputField({ label, hint, name, value, issue, onInput, inputMode, autoFocus }: InputProps) {
  return (
    <Field label={label} name={name} issue={issue} hint={hint}>
      <input
        id={`field-${name}`}
        name={name}
        value={value}
        autoComplete="off"
        inputMode={inputMode}
        autoFocus={autoFocus}
        aria-invalid={issue !== undefined}
        aria-describedby={issue === undefined ? undefined : `issue-${name}`}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </Field>
  );
}

interface SelectProps extends FieldProps {
  readonly options: readonly string[];
}

export function SelectField({ label, name, value, issue, onInput, options }: SelectProps) {
  return (
    <Field label={label} name={name} issue={issue}>
      <select
        id={`field-${name}`}
        name={name}
        value={value}
        aria-invalid={issue !== undefined}
        aria-describedby={issue === undefined ? undefined : `issue-${name}`}
        onChange={(event) => onInput(event.currentTarget.value)}
      >
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </Field>
  );
}

interface FrameProps {
  readonly label: string;
  readonly name: string;
  readonly issue: string | undefined;
  readonly hint?: string | undefined;
  readonly children: ComponentChildren;
}

function Field({ label, name, issue, hint, children }: FrameProps) {
  return (
    <div class="field">
      <div class="field-head">
        <label for={`field-${name}`}>{label}</label>
        {hint && <span class="field-hint">{hint}</span>}
      </div>
      {children}
      {issue !== undefined && (
        <p id={`issue-${name}`} class="field-issue">
          {issue}
        </p>
      )}
    </div>
  );
}
