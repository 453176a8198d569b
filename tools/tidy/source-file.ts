import { parseSyntax, type SyntaxNode } from './syntax.ts';

/**
 * Which rules a file lives under:
 * `source` is what ships, `test` is a test or a benchmark, `tool` runs on a developer's machine only, `generated` is
 * written by a tool, `text` is everything else.
 */
export type FileKind = 'source' | 'test' | 'tool' | 'generated' | 'text';

/** A file of the repository. */
export class SourceFile {
  readonly path: string;
  readonly text: string;
  readonly kind: FileKind;
  /** The folder name of the package that holds it, or undefined outside `packages/`. */
  readonly packageName: string | undefined;
  #syntax: SyntaxNode | undefined;
  #lineStarts: number[] | undefined;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
    this.kind = kindOf(path);
    this.packageName = /^packages\/([^/]+)\//.exec(path)?.[1];
  }

  /** The syntax tree; parsed once. Only for TypeScript and JavaScript files. */
  get syntax(): SyntaxNode {
    this.#syntax ??= parseSyntax(this.path, this.text);
    return this.#syntax;
  }

  /** True for files that rules on code look at. */
  get isCode(): boolean {
    return this.kind === 'source' || this.kind === 'test' || this.kind === 'tool';
  }

  /** The last part of the path. */
  get baseName(): string {
    return this.path.slice(this.path.lastIndexOf('/') + 1);
  }

  get lines(): string[] {
    return this.text.split('\n');
  }

  /** The line, from 1, of a position in the text. */
  lineAt(offset: number): number {
    this.#lineStarts ??= startsOf(this.text);
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }
}

function startsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function kindOf(path: string): FileKind {
  if (!/\.(ts|mts|mjs|js)$/.test(path) || path.startsWith('examples/') || path.includes('/fixtures/')) return 'text';
  if (/^packages\/[^/]+\/src\/gen\//.test(path)) return 'generated';
  if (/\.test\.ts$/.test(path) || path.startsWith('test/')) return 'test';
  return /^packages\/[^/]+\/src\//.test(path) ? 'source' : 'tool';
}
