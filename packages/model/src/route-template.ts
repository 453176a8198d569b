/**
 * ASP.NET route templates: `orders/{id:int}/{part?}`, `{*rest}`, `{file}.{ext?}`, `{page=1}`, with `{{` and `}}` for single
 * braces. Grammar and limits are those of ASP.NET Core routing.
 */
import { modelErrors } from './errors.ts';
import { createRouteConstraint, type RouteConstraint } from './route-constraint.ts';

/** A parsed template. */
export interface RouteTemplate {
  /** As it was written. */
  readonly text: string;
  readonly segments: readonly RouteSegment[];
  /** The names of the parameters, in order. */
  readonly parameters: readonly string[];
  readonly endsWithCatchAll: boolean;
  /**
   * One digit per segment, lowest first: 1 literal, 2 constrained or mixed, 3 parameter, 4 constrained catch-all, 5 catch-all.
   */
  readonly precedence: readonly number[];
}

/** What stands between two slashes. */
export type RouteSegment =
  | { readonly kind: 'literal'; readonly text: string; readonly key: string }
  | { readonly kind: 'parameter'; readonly parameter: RouteParameter }
  | { readonly kind: 'catchAll'; readonly parameter: RouteParameter }
  /** Literals and parameters side by side. `optionalTail`: the last parameter and the "." before it may be missing. */
  | { readonly kind: 'mixed'; readonly parts: readonly RoutePart[]; readonly optionalTail: boolean };

export type RoutePart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter'; readonly parameter: RouteParameter };

export interface RouteParameter {
  readonly name: string;
  readonly optional: boolean;
  readonly fallback: string | undefined;
  readonly constraints: readonly RouteConstraint[];
}

/** ASP.NET's own limit. */
const maxSegments = 28;

/** Longer templates are no routes. */
const maxLength = 2_048;

/**
 * Parses a template. A slash or `~/` at its start is ignored, as is one at its end.
 * @throws PlatformError ROUTE_TEMPLATE_INVALID, naming the position
 */
export function parseRouteTemplate(text: string): RouteTemplate {
  if (text.length > maxLength) throw invalid(text, 0, `it is longer than ${maxLength} characters`);
  return new TemplateParser(text).parse();
}

/** A part while its segment is still being read. */
type RawPart =
  | { readonly kind: 'literal'; readonly text: string; readonly at: number }
  | { readonly kind: 'parameter'; readonly parameter: RouteParameter; readonly catchAll: boolean; readonly at: number };

class TemplateParser {
  readonly #text: string;
  readonly #names: string[] = [];
  #at: number;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.startsWith('~/') ? 2 : text.startsWith('/') ? 1 : 0;
  }

  parse(): RouteTemplate {
    if (this.#text.startsWith('~') && this.#at === 0)
      throw this.#invalid(0, 'only a "/" may follow a "~" at its start');
    const segments: RouteSegment[] = [];
    while (this.#at < this.#text.length) {
      const start = this.#at;
      if (this.#text[start] === '/') throw this.#invalid(start, 'two slashes follow one another');
      if (segments.at(-1)?.kind === 'catchAll') throw this.#invalid(start, 'nothing may follow a catch-all parameter');
      segments.push(this.#readSegment());
      if (segments.length > maxSegments) throw this.#invalid(start, `it has more than ${maxSegments} segments`);
      this.#at += 1;
    }
    const endsWithCatchAll = segments.at(-1)?.kind === 'catchAll';
    const precedence = segments.map(precedenceOf);
    return { text: this.#text, segments, parameters: this.#names, endsWithCatchAll, precedence };
  }

  #readSegment(): RouteSegment {
    const parts: RawPart[] = [];
    while (this.#at < this.#text.length && this.#text[this.#at] !== '/') {
      const isParameter = this.#text[this.#at] === '{' && this.#text[this.#at + 1] !== '{';
      parts.push(isParameter ? this.#readParameter() : this.#readLiteral());
    }
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) return toSimpleSegment(first);
    this.#checkMixed(parts);
    const last = parts.at(-1);
    return { kind: 'mixed', parts, optionalTail: last?.kind === 'parameter' && last.parameter.optional };
  }

  #readLiteral(): RawPart {
    const start = this.#at;
    let text = '';
    for (; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === '/') break;
      if (character === '?') throw this.#invalid(this.#at, 'a literal cannot hold a "?"');
      const isBrace = character === '{' || character === '}';
      if (isBrace && this.#text[this.#at + 1] === character) this.#at += 1;
      else if (character === '{') break;
      else if (character === '}')
        throw this.#invalid(this.#at, 'a "}" has no "{"; write "}}" for the character itself');
      text += character;
    }
    return { kind: 'literal', text, at: start };
  }

  #readParameter(): RawPart {
    const start = this.#at;
    let inside = '';
    for (this.#at += 1; ; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === undefined) throw this.#invalid(start, 'a "{" is never closed');
      const doubled = this.#text[this.#at + 1] === character;
      if (character === '}' && !doubled) break;
      if (character === '{' && !doubled) throw this.#invalid(this.#at, 'a "{" within a parameter must be written "{{"');
      if (character === '{' || character === '}') this.#at += 1;
      inside += character;
    }
    this.#at += 1;
    return { kind: 'parameter', ...this.#toParameter(inside, start), at: start };
  }

  #toParameter(inside: string, at: number): { parameter: RouteParameter; catchAll: boolean } {
    const catchAll = inside.startsWith('*');
    const optional = inside.endsWith('?');
    if (catchAll && optional) throw this.#invalid(at, 'a catch-all parameter cannot be optional');
    const body = inside.replace(/^\*\*?/, '').slice(0, optional ? -1 : undefined);
    // A delimiter in the first place belongs to the name.
    const nameEnd = body.slice(1).search(/[:=]/) + 1;
    const name = nameEnd === 0 ? body : body.slice(0, nameEnd);
    if (name === '' || /[/{}?*]/.test(name)) throw this.#invalid(at, `"${name}" is no name of a parameter`);
    if (this.#names.some((other) => other.toLowerCase() === name.toLowerCase())) {
      throw this.#invalid(at, `the parameter "${name}" stands twice`);
    }
    this.#names.push(name);
    const { constraints, fallback } = splitPolicies(nameEnd === 0 ? '' : body.slice(nameEnd));
    if (optional && fallback !== undefined) {
      throw this.#invalid(at, `the parameter "${name}" is optional and has a default: one of them suffices`);
    }
    const made = constraints.map((text) => this.#toConstraint(text, at));
    return { parameter: { name, optional, fallback, constraints: made }, catchAll };
  }

  #toConstraint(text: string, at: number): RouteConstraint {
    const made = createRouteConstraint(text);
    if (typeof made === 'string') throw this.#invalid(at, made);
    return made;
  }

  #checkMixed(parts: readonly RawPart[]): void {
    parts.forEach((part, index) => {
      if (part.kind !== 'parameter') return;
      const before = parts[index - 1];
      if (part.catchAll) throw this.#invalid(part.at, 'a catch-all parameter must be alone in its segment');
      if (before?.kind === 'parameter') throw this.#invalid(part.at, 'two parameters need a literal between them');
      if (!part.parameter.optional) return;
      const follows = before?.kind === 'literal' && before.text.endsWith('.') && before.text.length === 1;
      if (index < parts.length - 1 || !follows) {
        const problem = 'an optional parameter beside others must be the last in its segment, after a single "."';
        throw this.#invalid(part.at, problem);
      }
    });
  }

  #invalid(at: number, problem: string): Error {
    return invalid(this.#text, at, problem);
  }
}

function toSimpleSegment(part: RawPart): RouteSegment {
  if (part.kind === 'literal') return { kind: 'literal', text: part.text, key: part.text.toLowerCase() };
  return { kind: part.catchAll ? 'catchAll' : 'parameter', parameter: part.parameter };
}

function precedenceOf(segment: RouteSegment): number {
  switch (segment.kind) {
    case 'literal':
      return 1;
    case 'mixed':
      return 2;
    case 'parameter':
      return segment.parameter.constraints.length > 0 ? 2 : 3;
    case 'catchAll':
      return segment.parameter.constraints.length > 0 ? 4 : 5;
  }
}

/** Cuts `:int:range(1,5)=3` into constraints and default. Parentheses protect colons and equals signs. */
function splitPolicies(text: string): { constraints: string[]; fallback: string | undefined } {
  const constraints: string[] = [];
  let start = 0;
  let inParentheses = false;
  const take = (end: number): void => {
    const constraint = text.slice(start, end).replace(/^:/, '');
    if (constraint !== '') constraints.push(constraint);
    start = end;
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    const next = text[at + 1];
    if (inParentheses) {
      inParentheses = !(character === ')' && (next === undefined || next === ':' || next === '='));
    } else if (character === '(') {
      inParentheses = text.includes(')', at);
    } else if (character === ':') {
      take(at);
    } else if (character === '=') {
      take(at);
      return { constraints, fallback: text.slice(at + 1) };
    }
  }
  take(text.length);
  return { constraints, fallback: undefined };
}

function invalid(template: string, at: number, problem: string): Error {
  return modelErrors.create('ROUTE_TEMPLATE_INVALID', { template: template.slice(0, 200), position: at + 1, problem });
}
