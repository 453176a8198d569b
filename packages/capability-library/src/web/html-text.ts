import { attributeOf, childrenOf, elementsOf, type HtmlNode, isElement, parsePage, textOf } from './html-tree.ts';

/** Elements that stand on lines of their own. */
const blocks = new Set(
  'address article aside blockquote caption dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tr ul'.split(
    ' ',
  ),
);

/** Elements whose content nobody reads. */
const unread = new Set('head script style template noscript iframe object svg math select textarea'.split(' '));

/** The text of a page as a reader sees it: blocks on lines of their own, spaces as one, `pre` as it is. */
export function htmlToText(html: string): string {
  return textBelow(parsePage(html));
}

/** The same for a part of a page. */
export function textBelow(root: HtmlNode): string {
  let result = '';
  const breakLine = (): void => {
    result = result.replace(/[ \t]+$/, '');
    if (result !== '' && !result.endsWith('\n')) result += '\n';
  };
  const visit = (node: HtmlNode, kept: boolean): void => {
    const text = textOf(node);
    if (text !== undefined) {
      const piece = kept ? text : text.replace(/[\s\u00A0]+/g, ' ');
      result += !kept && /(?:^|[\s])$/.test(result) ? piece.replace(/^ /, '') : piece;
      return;
    }
    const name = isElement(node) ? node.tagName : '';
    if (unread.has(name)) return;
    if (name === 'br') {
      result += '\n';
      return;
    }
    if (blocks.has(name)) breakLine();
    for (const child of childrenOf(node)) visit(child, kept || name === 'pre');
    if (blocks.has(name)) breakLine();
    if (name === 'td' || name === 'th') result += '\t';
  };
  visit(root, false);
  return result.replace(/[ \t]+\n/g, '\n').trim();
}

const maxLinks = 10_000;

/** The http and https links of a page, each once, made absolute against the page's own base or `base`. */
export function linksOf(html: string, base: string): string[] {
  const page = parsePage(html);
  const elements = [...elementsOf(page)];
  const ownBase = elements.find((element) => element.tagName === 'base' && attributeOf(element, 'href') !== undefined);
  const from = absolute(ownBase === undefined ? '' : (attributeOf(ownBase, 'href') ?? ''), base) ?? base;
  const links = new Set<string>();
  for (const element of elements) {
    if (element.tagName !== 'a' && element.tagName !== 'area') continue;
    const link = absolute(attributeOf(element, 'href'), from);
    if (link !== undefined && /^https?:/.test(link)) links.add(link);
    if (links.size === maxLinks) break;
  }
  return [...links];
}

function absolute(href: string | undefined, base: string): string | undefined {
  return href !== undefined && URL.canParse(href, base) ? new URL(href, base).href : undefined;
}
