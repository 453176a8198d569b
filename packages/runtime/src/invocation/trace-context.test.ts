import { createSeededRandom } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTraceParent, TraceContexts } from './trace-context.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = `00-${traceId}-00f067aa0ba902b7-01`;

describe('TraceContexts', () => {
  const contexts = new TraceContexts(createSeededRandom(1));

  test('goes on with the trace of the caller, under a span of its own', () => {
    const child = contexts.childOf(parent, 'vendor=1');
    expect(child.traceState).toBe('vendor=1');
    expect(child.traceParent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    expect(child.traceParent).not.toContain('00f067aa0ba902b7');
  });

  test('keeps the decision of the caller not to sample', () => {
    expect(contexts.childOf(parent.replace(/01$/, '00'), undefined).traceParent).toMatch(/-00$/);
    expect(contexts.childOf(parent.replace(/01$/, '03'), undefined).traceParent).toMatch(/-01$/);
  });

  test('begins a sampled trace when there is none, and drops the state of a broken one', () => {
    for (const broken of [undefined, '', 'x', `${parent}-more`, parent.toUpperCase()]) {
      const made = contexts.childOf(broken, 'vendor=1');
      expect(made.traceParent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(made.traceParent).not.toContain(traceId);
      expect(made.traceState).toBe('');
    }
  });

  test('never makes the same span twice', () => {
    const spans = Array.from({ length: 2_000 }, () => contexts.childOf(parent, undefined).traceParent);
    expect(new Set(spans).size).toBe(spans.length);
  });
});

describe('parseTraceParent', () => {
  test.each([
    [`ff-${traceId}-00f067aa0ba902b7-01`, 'the version that is not allowed'],
    [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, 'no trace'],
    [`00-${traceId}-${'0'.repeat(16)}-01`, 'no parent'],
    [`${parent}-extra`, 'fields that version 0 does not have'],
  ])('refuses %s: %s', (text) => {
    expect(parseTraceParent(text)).toBeUndefined();
  });

  test('takes a later version with more fields', () => {
    expect(parseTraceParent(`cc-${traceId}-00f067aa0ba902b7-09-what-ever`)).toEqual({
      traceId,
      parentId: '00f067aa0ba902b7',
      flags: '01',
    });
  });

  test('never fails, whatever a caller sends', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseTraceParent(text);
        expect(parsed === undefined || parsed.traceId.length === 32).toBe(true);
      }),
    );
  });
});
