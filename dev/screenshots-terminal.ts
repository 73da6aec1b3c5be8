/** What a terminal shows after some output, as HTML with its colours. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import headless from "@xterm/headless";

/** The sixteen colours of the picture's terminal. */
const COLOURS = [
  "#1c1e23", "#ff8a80", "#6fd69a", "#e8c35f", "#8caaff", "#d7a3ff", "#6fd3e0", "#d5d7db",
  "#8b8f98", "#ffa59d", "#8ee5b3", "#f3d788", "#a9c0ff", "#e3bfff", "#93e2ec", "#ffffff",
]; // prettier-ignore

export async function renderTerminal(output: string, columns: number, rows: number): Promise<string> {
  const terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(output, resolve));
  const { active } = terminal.buffer;
  const lines: string[] = [];
  for (let row = active.baseY; row < active.baseY + rows; row++) {
    const line = active.getLine(row);
    let html = "";
    for (let column = 0; line && column < columns; column++) {
      const cell = line.getCell(column);
      if (!cell || cell.getWidth() === 0) continue;
      const isCursor = row === active.baseY + active.cursorY && column === active.cursorX;
      const styles = [
        cell.isFgPalette() ? `color:${COLOURS[cell.getFgColor()] ?? "inherit"}` : "",
        cell.isBold() ? "font-weight:600" : "",
        cell.isDim() ? "opacity:.65" : "",
        isCursor ? "background:#d5d7db" : "",
      ].filter((style) => style !== "");
      const text = escape(cell.getChars() || " ");
      html += styles.length > 0 ? `<span style="${styles.join(";")}">${text}</span>` : text;
    }
    lines.push(html.trimEnd());
  }
  return lines.join("\n");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/**
 * The rule for the family "Terminal": this machine's monospaced font, for a browser that comes without one. Empty where there
 * is no fontconfig to ask: there the browser is the machine's own, and has its fonts.
 */
export async function terminalFont(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("fc-match", ["--format=%{file}", "monospace"]);
    const font = (await readFile(stdout)).toString("base64");
    return `@font-face { font-family: Terminal; src: url("data:font/ttf;base64,${font}"); }`;
  } catch {
    return "";
  }
}
