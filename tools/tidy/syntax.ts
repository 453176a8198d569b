import { parseAst } from 'rolldown/parseAst';

/** A node of the ESTree with TypeScript's additions, seen without its many types. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** A named import or re-export of a file. */
export interface ImportEdge {
  readonly specifier: string;
  readonly offset: number;
  /** True when nothing of it is left at run time. */
  readonly typeOnly: boolean;
  /** The names taken, as the exporting module calls them; `*` for all. */
  readonly names: readonly string[];
}

/** Parses TypeScript or JavaScript; throws with the place when the text is no such thing. */
export function parseSyntax(path: string, text: string): SyntaxNode {
  const lang = /\.d\.[cm]?ts$/.test(path) ? 'dts' : path.endsWith('ts') ? 'ts' : 'js';
  try {
    return parseAst(text, { lang }, path) as unknown as SyntaxNode;
  } catch (cause) {
    throw new Error(`${path} could not be parsed`, { cause });
  }
}

/** True for a value that is a node. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

/** The child under `key`, when it is a node. */
export function childOf(node: SyntaxNode, key: string): SyntaxNode | undefined {
  const child = node[key];
  return isNode(child) ? child : undefined;
}

/** The children under `key`. */
export function childrenOf(node: SyntaxNode, key: string): SyntaxNode[] {
  const children = node[key];
  return Array.isArray(children) ? children.filter(isNode) : [];
}

/** Visits `node` and everything below it, parents first, with the parents on the way (nearest last). */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode, parents: readonly SyntaxNode[]) => void): void {
  const parents: SyntaxNode[] = [];
  const step = (current: SyntaxNode): void => {
    visit(current, parents);
    parents.push(current);
    for (const value of Object.values(current)) {
      if (Array.isArray(value)) for (const item of value) isNode(item) && step(item);
      else if (isNode(value)) step(value);
    }
    parents.pop();
  };
  step(node);
}

/** The text of an identifier, or of a string literal. */
export function nameOf(node: SyntaxNode | undefined): string | undefined {
  if (node?.type === 'Identifier' || node?.type === 'PrivateIdentifier') return String(node.name);
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;
}

/** `a.b.c` of a chain of plain members; undefined for anything else. `globalThis.` in front is left out. */
export function dottedName(node: SyntaxNode | undefined): string | undefined {
  if (!node) return undefined;
  if (node.type === 'Identifier') return String(node.name);
  if (node.type === 'ChainExpression') return dottedName(childOf(node, 'expression'));
  if (node.type !== 'MemberExpression') return undefined;
  const object = dottedName(childOf(node, 'object'));
  const property = nameOf(childOf(node, 'property'));
  if (object === undefined || property === undefined) return undefined;
  return object === 'globalThis' ? property : `${object}.${property}`;
}

/** Every import and re-export of a file, also the dynamic ones whose specifier is a literal. */
export function importsOf(root: SyntaxNode): ImportEdge[] {
  const edges: ImportEdge[] = [];
  walk(root, (node) => {
    const source = childOf(node, 'source');
    if (source?.type !== 'Literal') return;
    const specifier = String(source.value);
    if (node.type === 'ImportDeclaration')
      edges.push({ specifier, offset: node.start, typeOnly: node.importKind === 'type', names: importedNames(node) });
    else if (node.type === 'ExportNamedDeclaration' || node.type === 'ExportAllDeclaration')
      edges.push({ specifier, offset: node.start, typeOnly: node.exportKind === 'type', names: exportedNames(node) });
    else if (node.type === 'ImportExpression')
      edges.push({ specifier, offset: node.start, typeOnly: false, names: ['*'] });
    else if (node.type === 'TSImportType') edges.push({ specifier, offset: node.start, typeOnly: true, names: ['*'] });
  });
  return edges;
}

function importedNames(node: SyntaxNode): string[] {
  return childrenOf(node, 'specifiers').map((specifier) => {
    if (specifier.type === 'ImportNamespaceSpecifier') return '*';
    return specifier.type === 'ImportDefaultSpecifier' ? 'default' : (nameOf(childOf(specifier, 'imported')) ?? '*');
  });
}

function exportedNames(node: SyntaxNode): string[] {
  if (node.type === 'ExportAllDeclaration') return ['*'];
  return childrenOf(node, 'specifiers').map((specifier) => nameOf(childOf(specifier, 'local')) ?? '*');
}
