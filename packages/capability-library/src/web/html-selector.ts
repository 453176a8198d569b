import { refuseParameter, shorten } from '../parameters.ts';
import { attributeOf, childrenOf, type HtmlElement, isElement } from './html-tree.ts';

/** One test of a compound selector. */
type Test = (element: HtmlElement) => boolean;

/** Compound selectors from the last to the first, and how each relates to the one before it in the list. */
interface Step {
  readonly tests: readonly Test[];
  /** How the element further left is found: any ancestor, or the parent. */
  readonly combinator: ' ' | '>' | undefined;
}

const maxSelectorLength = 500;
const maxSteps = 20;

/**
 * Compiles a selector: `tag`, `*`, `#id`, `.class`, `[name]`, `[name=value]` with `=`, `~=`, `^=`, `$=` or `*=`,
 * `:first-child`, `:last-child`, joined by spaces or `>`, several of them by commas. Fails with PARAMETER_INVALID and the
 * place of what it does not know.
 */
export function compileSelector(selector: string): (element: HtmlElement) => boolean {
  if (selector.length > maxSelectorLength) refuseParameter('The selector', `it is longer than ${maxSelectorLength}`);
  const alternatives = splitOutsideBrackets(selector).map((part) => parseSteps(part.trim(), selector));
  return (element) => alternatives.some((steps) => matches(element, steps, 0));
}

function matches(element: HtmlElement, steps: readonly Step[], index: number): boolean {
  const step = steps[index];
  if (step === undefined || !step.tests.every((test) => test(element))) return false;
  const before = steps[index + 1];
  if (before === undefined) return true;
  for (let parent = element.parentNode; parent !== null && isElement(parent); parent = parent.parentNode) {
    if (matches(parent, steps, index + 1)) return true;
    if (step.combinator === '>') return false;
  }
  return false;
}

const token =
  /(\s*>\s*|\s+)|([a-zA-Z][\w-]*|\*)|#([\w-]+)|\.([\w-]+)|\[\s*([\w-]+)\s*(?:([~^$*]?=)\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*)?\]|:(first-child|last-child)/y;

function parseSteps(part: string, selector: string): Step[] {
  const steps: { tests: Test[]; combinator: ' ' | '>' | undefined }[] = [{ tests: [], combinator: undefined }];
  token.lastIndex = 0;
  while (token.lastIndex < part.length) {
    const start = token.lastIndex;
    const match = token.exec(part);
    if (match === null)
      refuseParameter('The selector', `'${shorten(selector)}' cannot be read at '${shorten(part.slice(start))}'`);
    if (match[1] === undefined) {
      steps[0]?.tests.push(toTest(match));
      continue;
    }
    if (steps[0]?.tests.length === 0) refuseParameter('The selector', `'${shorten(selector)}' has a gap`);
    steps.unshift({ tests: [], combinator: match[1].includes('>') ? '>' : ' ' });
  }
  if (steps.some(({ tests }) => tests.length === 0))
    refuseParameter('The selector', `'${shorten(selector)}' has a gap`);
  if (steps.length > maxSteps) refuseParameter('The selector', `it has more than ${maxSteps} steps`);
  return steps;
}

function toTest(match: RegExpExecArray): Test {
  const [, , tag, id, className, name, operator, quoted, single, bare, position] = match;
  if (tag !== undefined) return tag === '*' ? () => true : ({ tagName }) => tagName === tag.toLowerCase();
  if (id !== undefined) return (element) => attributeOf(element, 'id') === id;
  if (className !== undefined) return (element) => wordsOf(element, 'class').includes(className);
  if (name !== undefined) return attributeTest(name.toLowerCase(), operator, quoted ?? single ?? bare ?? '');
  return position === 'first-child' ? isFirst : isLast;
}

function attributeTest(name: string, operator: string | undefined, value: string): Test {
  const check = (test: (actual: string) => boolean): Test => {
    return (element) => {
      const actual = attributeOf(element, name);
      return actual !== undefined && test(actual);
    };
  };
  switch (operator) {
    case '=':
      return check((actual) => actual === value);
    case '^=':
      return check((actual) => value !== '' && actual.startsWith(value));
    case '$=':
      return check((actual) => value !== '' && actual.endsWith(value));
    case '*=':
      return check((actual) => value !== '' && actual.includes(value));
    case '~=':
      return (element) => wordsOf(element, name).includes(value);
    default:
      return check(() => true);
  }
}

function wordsOf(element: HtmlElement, name: string): string[] {
  return (attributeOf(element, name) ?? '').split(/\s+/);
}

function siblingsOf({ parentNode }: HtmlElement): HtmlElement[] {
  return parentNode === null ? [] : childrenOf(parentNode).filter(isElement);
}

const isFirst: Test = (element) => siblingsOf(element)[0] === element;
const isLast: Test = (element) => siblingsOf(element).at(-1) === element;

function splitOutsideBrackets(selector: string): string[] {
  return selector.split(/,(?![^[]*\])/);
}
