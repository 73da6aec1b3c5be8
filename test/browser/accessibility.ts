/** Whether everybody can use a page: what axe has against it, and what does not fit its window. */
import axe from "axe-core";
import type { Page } from "playwright-core";

/** Rule and place of each that is broken, of all the rules that axe has. */
export async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate("typeof axe === 'object'"))) await page.evaluate(axe.source);
  const found = await page.evaluate<axe.AxeResults>("axe.run(document, { resultTypes: ['violations'] })");
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${String(target)}: ${failureSummary ?? ""}`),
  );
}

/** Nothing, unless the page can be scrolled to the right: then how wide it is, and what reaches out of the window. */
export function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const elements = [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > clientWidth + 0.5)
      .map((element) => `${element.tagName} ${element.className}`);
    return [`${scrollWidth} px`, ...elements.slice(0, 8)];
  });
}
