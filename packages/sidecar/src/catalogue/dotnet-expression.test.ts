import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DotnetExpression, parseDotnetExpression } from './dotnet-expression.ts';
import { catalogueLimits } from './limits.ts';

function parse(source: string): DotnetExpression {
  const outcome = parseDotnetExpression(source);
  if (outcome.kind === 'invalid') throw new Error(outcome.reason);
  return outcome.expression;
}

describe('parseDotnetExpression', () => {
  test.each([
    ['(?i)true$', 'TRUE', 'TRUE'],
    ['(?i)true$', 'true indeed', undefined],
    ['(?im)^b$', 'a\nB\nc', 'B'],
    ['\\d+\\.?\\d*', '~7.4', '7.4'],
    ['\\A4\\.\\d+\\z', '4.1037', '4.1037'],
    ['\\A4\\z', '14', undefined],
    ['\\\\A', 'x\\A', '\\A'],
    ['^((?!PLACEHOLDER).)*$', 'PLACEHOLDER', undefined],
    ['^(Dynamic|FlexConsumption)$', 'FlexConsumption', 'FlexConsumption'],
  ])('%j finds in %j: %j', (source, text, found) => {
    expect(parse(source).find(text)).toEqual(found === undefined ? { kind: 'none' } : { kind: 'found', text: found });
  });

  test.each([
    ['', 'it is empty'],
    ['(', 'Unterminated group'],
    ['a'.repeat(catalogueLimits.expressionLength + 1), 'longer than'],
  ])('%j is invalid', (source, reason) => {
    expect(parseDotnetExpression(source)).toEqual({ kind: 'invalid', reason: expect.stringContaining(reason) });
  });

  test('an expression that backtracks for ever is stopped', () => {
    const endless = parse('^(a+)+$');
    expect(endless.find(`${'a'.repeat(60)}b`)).toEqual({ kind: 'too-slow' });
  });

  test('an expression sees only the beginning of an endless value', () => {
    const value = `${' '.repeat(catalogueLimits.expressionInputLength)}needle`;
    expect(parse('needle').find(value)).toEqual({ kind: 'none' });
  });

  test('reading never throws', () => {
    fc.assert(
      fc.property(fc.string(), (source) => {
        expect(['parsed', 'invalid']).toContain(parseDotnetExpression(source).kind);
      }),
    );
  });
});
