import type { TypedData } from '@switchyard/protocol';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { createBinding, createContext, createScope } from '../testing/scope.ts';
import { jsonData, textData, toTypedData } from '../typed-data.ts';
import { createBlobOutput } from './blob-output.ts';
import { BlobWrites } from './blob-writes.ts';

const settings = { AzureWebJobsStorage: 'UseDevelopmentStorage=true' };

function outputOf(path: unknown = 'images/out.txt') {
  const clock = new VirtualClock();
  const blobs = new MemoryBlobs(clock);
  const writes = new BlobWrites();
  const kind = createBlobOutput({ blobs, writes });
  const options = kind.parse(
    createBinding({ name: 'out', type: 'blob', direction: 'out', path }),
    createScope({ settings }),
  );
  const context = createContext({ clock, random: createSeededRandom(1) });
  const heard: string[] = [];
  writes.subscribe(options.connection.queueEndpoint, 'images', (blob) => heard.push(blob));
  const write = (value: TypedData, data: ReadonlyMap<string, TypedData> = new Map()) =>
    clock.runUntil(kind.write(options, value, data, context));
  const text = (blob = 'out.txt', container = 'images') => blobs.text(options.connection, container, blob);
  return { clock, blobs, write, text, heard, connection: options.connection };
}

describe('createBlobOutput', () => {
  it.each([
    ['a text', textData('häl'), 'häl'],
    ['an empty text', textData(''), ''],
    ['bytes', toTypedData(new Uint8Array([104, 105])), 'hi'],
    ['an object, as the worker wrote it', jsonData('{"big": 12345678901234567890}'), '{"big": 12345678901234567890}'],
    ['a list', jsonData('[1,"a"]'), '[1,"a"]'],
    ['a JSON text', jsonData('"hi"'), 'hi'],
    ['a number', toTypedData(5), '5'],
    ['a fraction', toTypedData(1.5), '1.5'],
    ['a large number', { data: { $case: 'int', value: 9_007_199_254_740_993n } }, '9007199254740993'],
    ['true', jsonData('true'), 'true'],
  ] as [string, TypedData, string][])('writes %s', async (_name, value, expected) => {
    const { write, text } = outputOf();
    await write(value);
    expect(text()).toBe(expected);
  });

  it('creates the container, and tells the scanner once the blob is there', async () => {
    const { write, blobs, heard } = outputOf();
    await write(textData('a'));
    expect(blobs.requests).toEqual(['write images/out.txt', 'create images', 'write images/out.txt']);
    expect(heard).toEqual(['out.txt']);
  });

  it('writes over what is there', async () => {
    const { write, text } = outputOf();
    await write(textData('one'));
    await write(textData('two'));
    expect(text()).toBe('two');
  });

  it('fills in the path, with built-in values too', async () => {
    const { write, blobs, connection } = outputOf('images/{name}-{rand-guid}');
    await write(textData('a'), new Map([['name', textData('x')]]));
    expect(blobs.names(connection, 'images')?.[0]).toMatch(/^x-[0-9a-f-]{36}$/);
    await expect(write(textData('a'))).rejects.toThrow(/name/);
  });

  it('refuses a path that leads nowhere', async () => {
    const { write } = outputOf('{container}/a');
    await expect(write(textData('a'), new Map([['container', textData('Bad')]]))).rejects.toThrow(/'Bad' is no name/);
  });

  it('tries again when a request fails, and rejects when all do', async () => {
    const { write, blobs, text, heard } = outputOf();
    let failures = 2;
    blobs.fault = () => (failures-- > 0 ? Promise.reject(new Error('down')) : undefined);
    await write(textData('a'));
    expect(text()).toBe('a');
    blobs.fault = () => Promise.reject(new Error('down'));
    await expect(write(textData('b'))).rejects.toThrow('down');
    expect(heard).toEqual(['out.txt']);
  });

  it('says when somebody holds a lease on the blob', async () => {
    const { write, blobs, connection } = outputOf();
    blobs.put(connection, 'images/out.txt');
    const lease = { leaseId: 'theirs', durationMs: 60_000 };
    await blobs.open(connection, 'images').acquireLease('out.txt', lease, new AbortController().signal);
    await expect(write(textData('a'))).rejects.toThrow(/'images\/out.txt' was not written.*lease/);
  });

  it('gives up on a container that disappears again and again', async () => {
    const { write, blobs, connection } = outputOf();
    blobs.fault = (operation) => {
      if (operation === 'write') blobs.remove(connection, 'images');
      return undefined;
    };
    await expect(write(textData('a'))).rejects.toThrow(/'images' disappeared/);
  });

  it('refuses a value that no blob can hold', async () => {
    const { write } = outputOf();
    await expect(write(jsonData('{'))).rejects.toThrow(/not JSON/);
    await expect(write({ data: { $case: 'collectionString', value: { string: ['a'] } } })).rejects.toThrow(
      /collectionString/,
    );
  });
});
