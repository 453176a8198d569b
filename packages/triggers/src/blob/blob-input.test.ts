import type { TypedData } from '@switchyard/protocol';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { maxContentBytes } from '../storage/content-limit.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { createBinding, createContext, createScope } from '../testing/scope.ts';
import { textData } from '../typed-data.ts';
import { createBlobInput } from './blob-input.ts';

const settings = { AzureWebJobsStorage: 'UseDevelopmentStorage=true', FOLDER: 'in' };

function inputOf(raw: Record<string, unknown>, properties: Record<string, string> = {}) {
  const clock = new VirtualClock();
  const blobs = new MemoryBlobs(clock);
  const kind = createBlobInput({ blobs });
  const binding = { ...createBinding({ name: 'blob', type: 'blob', ...raw }), properties };
  const options = kind.parse(binding, createScope({ settings }));
  const context = createContext({ clock, random: createSeededRandom(1) });
  const read = (data: ReadonlyMap<string, TypedData> = new Map()) => clock.runUntil(kind.read(options, data, context));
  return {
    blobs,
    read,
    put: (path: string, content: string | Uint8Array) => blobs.put(options.connection, path, content),
  };
}

describe('createBlobInput', () => {
  it('reads the blob of the path, filled from settings and binding data', async () => {
    const { read, put } = inputOf({ path: 'images/%FOLDER%/{name}.txt' });
    put('images/in/a.txt', 'content');
    expect(await read(new Map([['name', textData('a')]]))).toEqual(textData('content'));
    await expect(read()).rejects.toThrow(/name/);
  });

  it('reads the blob whose address an event carries', async () => {
    const { read, put } = inputOf({ path: '{data.url}' });
    put('images/a b.txt', 'content');
    const url = 'https://shop.blob.core.windows.net/images/a%20b.txt';
    const data = new Map<string, TypedData>([['data', { data: { $case: 'json', value: JSON.stringify({ url }) } }]]);
    expect(await read(data)).toEqual(textData('content'));
  });

  it.each([
    [undefined, 'string'],
    ['string', 'string'],
    ['binary', 'bytes'],
    ['stream', 'bytes'],
  ])('gives for the data type %o a value of kind %o', async (dataType, kind) => {
    const { read, put } = inputOf({ path: 'images/a', ...(dataType === undefined ? {} : { dataType }) });
    put('images/a', 'content');
    expect((await read())?.data?.$case).toBe(kind);
  });

  it('keeps what is no text', async () => {
    const { read, put } = inputOf({ path: 'images/a' });
    put('images/a', Uint8Array.of(0xff, 0x00));
    expect((await read())?.data).toEqual({ $case: 'bytes', value: Uint8Array.of(0xff, 0x00) });
  });

  it('gives a value without content where there is no blob or no container', async () => {
    const { read, put } = inputOf({ path: 'images/a' });
    expect(await read()).toEqual({ data: undefined });
    put('images/b', '');
    expect(await read()).toEqual({ data: undefined });
  });

  it('gives the place alone where the worker opens the blob itself', async () => {
    const { read, blobs } = inputOf({ path: 'images/{name}' }, { supportsDeferredBinding: 'true' });
    const value = await read(new Map([['name', textData('a')]]));
    expect(value?.data?.$case).toBe('modelBindingData');
    expect(blobs.requests).toEqual([]);
  });

  it('tries again when a request fails, and rejects when all do', async () => {
    const { read, put, blobs } = inputOf({ path: 'images/a' });
    put('images/a', 'content');
    let failures = 2;
    blobs.fault = () => (failures-- > 0 ? Promise.reject(new Error('down')) : undefined);
    expect(await read()).toEqual(textData('content'));
    blobs.fault = () => Promise.reject(new Error('down'));
    await expect(read()).rejects.toThrow('down');
  });

  it('refuses what is too large, and a path that leads nowhere', async () => {
    const { read, blobs } = inputOf({ path: 'images/{name}' });
    const { open } = blobs;
    blobs.open = (...call) => ({
      ...open.apply(blobs, call),
      read: async () => ({ kind: 'too-large', sizeBytes: maxContentBytes + 1 }),
    });
    await expect(read(new Map([['name', textData('a')]]))).rejects.toThrow(/images\/a.*104857601/);
    await expect(read(new Map([['name', textData('')]]))).rejects.toThrow(/'images\/' leads to no blob/);
  });

  it.each([
    [{}, /"path" is missing/],
    [{ path: 'images' }, /needs a container, a slash and a name/],
    [{ path: 'images/{' }, /partner/],
    [{ path: 'images/a', connection: 'Missing' }, /'Missing' is missing/],
  ])('refuses %o while it parses', (raw, message) => {
    expect(() => inputOf(raw)).toThrow(message);
  });
});
