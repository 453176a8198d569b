/**
 * Regular expressions of worker.config.json, which are written for .NET. The common part of both languages is taken,
 * with .NET's inline options in front and its anchors. A file may come with an app, so no expression may compute for
 * longer than the limit: backtracking for ever would stop every other app of this process.
 */
import { createContext, Script } from 'node:vm';
import { messageOf } from '@switchyard/kernel';
import { catalogueLimits } from './limits.ts';

export interface DotnetExpression {
  readonly source: string;
  find(text: string): ExpressionMatch;
}

export type ExpressionMatch =
  | { readonly kind: 'found'; readonly text: string }
  | { readonly kind: 'none' }
  /** It ran into the limit; nobody knows whether it matches. */
  | { readonly kind: 'too-slow' };

export type ExpressionOutcome =
  | { readonly kind: 'parsed'; readonly expression: DotnetExpression }
  | { readonly kind: 'invalid'; readonly reason: string };

const inlineOptions = /^\(\?([ims]+)\)/;
const anchors: Readonly<Record<string, string>> = { '\\A': '^', '\\Z': '$', '\\z': '$' };

/** Reads an expression; nothing is run yet. */
export function parseDotnetExpression(source: string): ExpressionOutcome {
  if (source === '') return { kind: 'invalid', reason: 'it is empty' };
  if (source.length > catalogueLimits.expressionLength) {
    return { kind: 'invalid', reason: `it is longer than ${catalogueLimits.expressionLength} characters` };
  }
  const [whole = '', options = ''] = inlineOptions.exec(source) ?? [];
  const translated = source.slice(whole.length).replace(/\\./gs, (escaped) => anchors[escaped] ?? escaped);
  try {
    const pattern = new RegExp(translated, [...new Set(options)].join(''));
    return { kind: 'parsed', expression: { source, find: (text) => findWithin(pattern, text) } };
  } catch (thrown) {
    return { kind: 'invalid', reason: messageOf(thrown) };
  }
}

const run = new Script('pattern.exec(text)?.[0]');

/**
 * The timeout of a script is one of the wall clock, so on a machine that stands still for a moment it also strikes
 * expressions that have hardly run. An expression is too slow once it has computed for its time; else it runs again.
 */
function findWithin(pattern: RegExp, text: string): ExpressionMatch {
  const { expressionInputLength, expressionTimeoutMs, expressionRuns } = catalogueLimits;
  const context = createContext({ pattern, text: text.slice(0, expressionInputLength) });
  const begun = process.threadCpuUsage();
  for (let runs = 0; runs < expressionRuns && computedMs(begun) < expressionTimeoutMs; runs += 1) {
    try {
      const found: unknown = run.runInContext(context, { timeout: expressionTimeoutMs });
      return typeof found === 'string' ? { kind: 'found', text: found } : { kind: 'none' };
    } catch {
      // It was stopped; its computing time decides whether it gets another run.
    }
  }
  return { kind: 'too-slow' };
}

function computedMs(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(begun);
  return (user + system) / 1_000;
}
