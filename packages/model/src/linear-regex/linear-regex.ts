/**
 * Regular expressions of apps, which everybody's requests run against: matched by RE2's algorithms, in a time that grows with the
 * text and never with the ways to match it.
 *
 * RE2 knows no look-ahead. Those that stand at the beginning of an anchored pattern, such as `^(?!admin)`, are expressions of their
 * own here, which must match there or must not; anywhere else they are refused, and so are references to groups.
 */
import { RE2JS } from 're2js';

export interface LinearRegex {
  /** Whether some part of the text matches, in any case. */
  test(text: string): boolean;
}

/** One expression, and whether it must match. */
interface Condition {
  readonly regex: RE2JS;
  readonly isWanted: boolean;
}

/** The longest pattern that is read, in characters. */
const maxPatternLength = 1_000;

const flags = RE2JS.CASE_INSENSITIVE | RE2JS.LOOKBEHINDS;

/** Makes an expression from a pattern as .NET and JavaScript have them, or says what is wrong with it. */
export function compileLinearRegex(pattern: string): LinearRegex | string {
  if (pattern.length > maxPatternLength) return `is longer than ${maxPatternLength} characters`;
  try {
    const conditions = toConditions(pattern);
    return { test: (text) => conditions.every(({ regex, isWanted }) => regex.test(text) === isWanted) };
  } catch {
    return /\(\?[=!]|\\[1-9]/.test(pattern)
      ? 'needs a look-ahead that is not at its beginning, or a reference to a group, and such a one may take for ever'
      : 'holds no regular expression that can be read';
  }
}

function toConditions(pattern: string): readonly Condition[] {
  const conditions: Condition[] = [];
  let rest = pattern;
  for (let look = leadingLook(rest); look !== undefined; look = leadingLook(rest)) {
    conditions.push({ regex: compile(`^(?:${look.inside})`), isWanted: look.isWanted });
    rest = `^${look.after}`;
  }
  return [...conditions, { regex: compile(rest), isWanted: true }];
}

function compile(pattern: string): RE2JS {
  return RE2JS.compile(RE2JS.translateRegExp(pattern), flags);
}

interface LeadingLook {
  readonly inside: string;
  readonly isWanted: boolean;
  readonly after: string;
}

/** The look-ahead behind the anchor; none where an alternative stands beside it, which it would not hold for. */
function leadingLook(pattern: string): LeadingLook | undefined {
  const [start, sign] = /^\^\(\?([=!])/.exec(pattern) ?? [];
  if (start === undefined) return undefined;
  let depth = 1;
  let end: number | undefined;
  let isInClass = false;
  for (let at = start.length; at < pattern.length; at += 1) {
    const character = pattern[at];
    if (character === '\\') at += 1;
    else if (isInClass) isInClass = character !== ']';
    else if (character === '[') isInClass = true;
    else if (character === '(') depth += 1;
    else if (character === ')') {
      depth -= 1;
      if (depth === 0 && end === undefined) end = at;
    } else if (character === '|' && depth === 0) return undefined;
  }
  if (end === undefined) return undefined;
  return { inside: pattern.slice(start.length, end), isWanted: sign === '=', after: pattern.slice(end + 1) };
}
