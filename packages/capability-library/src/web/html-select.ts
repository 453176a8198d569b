import { serializeOuter } from 'parse5';
import { compileSelector } from './html-selector.ts';
import { textBelow } from './html-text.ts';
import { elementsOf, parsePage } from './html-tree.ts';

/** An element that a selector found. */
export interface FoundElement {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly html: string;
}

/** All elements of a page that a selector means, in the order of the page; no more than `limit`. */
export function selectHtml(html: string, selector: string, limit: number): FoundElement[] {
  const matches = compileSelector(selector);
  const found: FoundElement[] = [];
  for (const element of elementsOf(parsePage(html))) {
    if (found.length === limit) break;
    if (!matches(element)) continue;
    const attributes: Record<string, string> = Object.create(null);
    for (const { name, value } of element.attrs) attributes[name] = value;
    found.push({ tag: element.tagName, attributes, text: textBelow(element), html: serializeOuter(element) });
  }
  return found;
}
