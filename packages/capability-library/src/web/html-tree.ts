/** The tree of a page, as far as the tools beside it need it. */
import { parse, parseFragment, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import { refuseParameter } from '../parameters.ts';

export type HtmlNode = Tree.Node;
export type HtmlElement = Tree.Element;

/** Deeper trees are nothing that a person wrote; walking them would overflow the stack. */
export const maxHtmlDepth = 500;

export const maxHtmlLength = 2 * 1024 * 1024;

/** The tree of a whole page. Fails with PARAMETER_INVALID when it nests too deep. */
export function parsePage(html: string): Tree.Document {
  return checked(parse(html));
}

/** The tree of a piece of a page. */
export function parsePiece(html: string): Tree.DocumentFragment {
  return checked(parseFragment(html));
}

export function isElement(node: HtmlNode): node is HtmlElement {
  return 'tagName' in node;
}

export function textOf(node: HtmlNode): string | undefined {
  return node.nodeName === '#text' && 'value' in node ? node.value : undefined;
}

export function childrenOf(node: HtmlNode): readonly HtmlNode[] {
  return 'childNodes' in node ? node.childNodes : [];
}

/** The value of an attribute; an empty text when it has none, undefined when it is missing. */
export function attributeOf(element: HtmlElement, name: string): string | undefined {
  return element.attrs.find((attribute) => attribute.name === name)?.value;
}

/** All elements below a node, in the order of the page. */
export function* elementsOf(node: HtmlNode): Generator<HtmlElement> {
  for (const child of childrenOf(node)) {
    if (isElement(child)) yield child;
    yield* elementsOf(child);
  }
}

function checked<Root extends HtmlNode>(root: Root): Root {
  let level: readonly HtmlNode[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxHtmlDepth) refuseParameter('The HTML', `it nests deeper than ${maxHtmlDepth} levels`);
    level = level.flatMap(childrenOf);
  }
  return root;
}
