import { html as htmlNames } from 'parse5';
import { childrenOf, type HtmlElement, type HtmlNode, isElement, parsePiece, textOf } from './html-tree.ts';

/** Elements that stay, and the attributes that stay on them. Everything else goes; what it holds stays, unless `dropped`. */
const kept: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    'b br cite code dd del div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i ins kbd li mark p pre s samp small span strong sub sup table tbody tfoot thead tr u ul var'
      .split(' ')
      .map((tag) => [tag, [] as readonly string[]]),
  ),
  a: ['href', 'title'],
  abbr: ['title'],
  blockquote: ['cite'],
  img: ['src', 'alt', 'title', 'width', 'height'],
  ol: ['start'],
  q: ['cite'],
  td: ['colspan', 'rowspan'],
  th: ['colspan', 'rowspan'],
  time: ['datetime'],
};

/** Elements whose content is no text of the page, or is read by other rules: they go with all they hold. */
const dropped = new Set(
  'applet audio base canvas embed frame frameset head iframe link math meta noembed noframes noscript object param plaintext script select style svg template textarea title video xmp'.split(
    ' ',
  ),
);

const empty = new Set(['br', 'hr', 'img']);
const addresses = new Set(['href', 'src', 'cite']);

/** Safe pages do not change any more; what still does after so many rounds is given as text. */
const maxRounds = 4;

/**
 * HTML from anybody, made safe to show: no scripts, no styles, no forms, no frames, no handlers, and only http, https
 * and mailto addresses, or relative ones. Read again it is the same page, so nothing can hide between two readings.
 */
export function sanitiseHtml(html: string): string {
  let current = writeSafely(parsePiece(html));
  for (let round = 0; round < maxRounds; round += 1) {
    const next = writeSafely(parsePiece(current));
    if (next === current) return current;
    current = next;
  }
  return escapeText(plainText(parsePiece(current)));
}

function writeSafely(node: HtmlNode): string {
  const text = textOf(node);
  if (text !== undefined) return escapeText(text);
  const inside = (): string => childrenOf(node).map(writeSafely).join('');
  if (!isElement(node)) return node.nodeName === '#document-fragment' ? inside() : '';
  if (node.namespaceURI !== htmlNames.NS.HTML || dropped.has(node.tagName)) return '';
  const attributes = Object.hasOwn(kept, node.tagName) ? kept[node.tagName] : undefined;
  if (attributes === undefined) return inside();
  const head = `<${node.tagName}${attributes.map((name) => attribute(node, name)).join('')}${relation(node)}>`;
  if (empty.has(node.tagName)) return head;
  const content = inside();
  // The first line break in `pre` is not read.
  const pad = node.tagName === 'pre' && content.startsWith('\n') ? '\n' : '';
  return `${head}${pad}${content}</${node.tagName}>`;
}

function attribute(element: HtmlElement, name: string): string {
  const value = element.attrs.find((one) => one.name === name)?.value;
  if (value === undefined) return '';
  if (addresses.has(name) && !isSafeAddress(value, name)) return '';
  return ` ${name}="${escapeText(value).replaceAll('"', '&quot;')}"`;
}

/** A link of somebody else's tells its target nothing and vouches for nothing. */
function relation({ tagName }: HtmlElement): string {
  return tagName === 'a' ? ' rel="nofollow noopener noreferrer"' : '';
}

function isSafeAddress(value: string, name: string): boolean {
  // Browsers skip control characters and spaces when they read a scheme.
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(value.replace(/[\p{Cc}\p{Z}]/gu, ''))?.[1]?.toLowerCase();
  if (scheme === undefined) return true;
  return scheme === 'http' || scheme === 'https' || (scheme === 'mailto' && name === 'href');
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\u00A0', '&nbsp;');
}

function plainText(node: HtmlNode): string {
  return textOf(node) ?? childrenOf(node).map(plainText).join('');
}
