import { isPlatformError } from '@switchyard/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTriggerType, parseBindings } from './binding-metadata.ts';

const where = 'function "Hello"';
const trigger = { type: 'httpTrigger', direction: 'in', name: 'req' };

describe('parseBindings', () => {
  it('keeps the raw object and reads what every kind has', () => {
    const raw = {
      type: 'queueTrigger',
      direction: 'IN',
      name: 'message',
      dataType: 'BINARY',
      cardinality: 'Many',
      connection: 'Orders',
      queueName: 'orders',
      properties: { supportsDeferredBinding: true, source: 'x', number: 1 },
    };
    const { bindings, trigger: found } = parseBindings([raw], where);
    expect(bindings).toEqual([
      {
        name: 'message',
        type: 'queueTrigger',
        direction: 'in',
        dataType: 'binary',
        cardinality: 'many',
        connection: 'Orders',
        raw,
        properties: { supportsDeferredBinding: 'true', source: 'x', number: '1' },
      },
    ]);
    expect(found).toBe(bindings[0]);
  });

  it('defaults to the direction in, and takes empty and undefined words as none', () => {
    const raw = { type: 'timerTrigger', name: 'timer', dataType: 'undefined', cardinality: '', connection: '' };
    expect(parseBindings([raw], where).bindings[0]).toEqual({
      name: 'timer',
      type: 'timerTrigger',
      direction: 'in',
      raw,
      properties: {},
    });
  });

  it('takes $return as an output', () => {
    const { bindings } = parseBindings([trigger, { type: 'http', direction: 'out', name: '$return' }], where);
    expect(bindings.map(({ name, direction }) => [name, direction])).toEqual([
      ['req', 'in'],
      ['$return', 'out'],
    ]);
  });

  it.each([
    [[], 'has no bindings'],
    [
      [{ type: 'http', direction: 'out', name: 'res' }],
      'exactly one binding whose type ends in "Trigger"; found: none',
    ],
    [[trigger, { ...trigger, name: 'other' }], 'found: req (httpTrigger), other (httpTrigger)'],
    [
      [{ ...trigger, direction: 'out' }],
      '"direction" of the binding req is "out" and must be "in", as it is the trigger',
    ],
    [
      [{ ...trigger, direction: 'sideways' }],
      '"direction" of the binding req is "sideways" and must be one of in, out, inout',
    ],
    [[{ ...trigger, dataType: 'text' }], 'must be one of string, binary, stream'],
    [[{ ...trigger, cardinality: 'two' }], 'must be one of one, many'],
    [[{ ...trigger, name: '' }], '"name" of the binding number 1 is "" and must be letters and digits'],
    [[{ ...trigger, name: '1st' }], 'is "1st"'],
    [[{ ...trigger, name: 'with-dash' }], 'is "with-dash"'],
    [[{ ...trigger, name: 5 }], 'is 5 and must be a text'],
    [[{ direction: 'in', name: 'x' }], '"type" of the binding x is missing'],
    [[trigger, { type: 'http', direction: 'in', name: '$return' }], '"direction" of the binding $return is "in"'],
    [[trigger, { type: 'http', name: '$return' }], 'must be "out", as it takes the return value'],
    [[trigger, { type: 'queue', direction: 'out', name: 'REQ' }], 'two bindings are called "REQ"'],
    [[trigger, 'text'], 'of the binding number 2 is "text" and must be an object'],
    [[trigger, null], 'must be an object'],
    [[{ ...trigger, connection: {} }], '"connection" of the binding req is {}'],
    [[{ ...trigger, properties: [] }], '"properties" of the binding req is []'],
  ])('refuses %j', (raw, message) => {
    expect(() => parseBindings(raw, where)).toThrow(message);
    expect(() => parseBindings(raw, where)).toThrow(where);
  });

  it('answers any JSON with bindings or a catalogued error', () => {
    const keys = fc.constantFrom('name', 'type', 'direction', 'dataType', 'properties', '__proto__', 'connection');
    const values = fc.oneof(fc.constantFrom('in', 'out', 'httpTrigger', '$return', 'a'), fc.jsonValue());
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.dictionary(keys, values), fc.jsonValue())), (raw) => {
        try {
          const { bindings, trigger: found } = parseBindings(raw, where);
          expect(bindings.filter(({ type }) => isTriggerType(type))).toEqual([found]);
        } catch (thrown) {
          expect(isPlatformError(thrown)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
