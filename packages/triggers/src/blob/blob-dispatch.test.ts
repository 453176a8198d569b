import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { InvocationOutcome, TriggerEvent } from '../contract.ts';
import { maxContentBytes } from '../storage/content-limit.ts';
import { OutageLog } from '../storage/outage-log.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { createBinding, createContext, createScope } from '../testing/scope.ts';
import { createScriptedInvoke, failed, succeeded } from '../testing/scripted-invoke.ts';
import { memoryConnection } from '../testing/storage.ts';
import { textData } from '../typed-data.ts';
import { type BlobTarget, dispatchBlob } from './blob-dispatch.ts';
import { parseBlobPattern } from './blob-pattern.ts';
import { BlobReceipts } from './blob-receipts.ts';
import { formatBlobTriggerMessage } from './blob-trigger-message.ts';

const functionId = 'Host.Functions.Hello';

interface Setup {
  readonly path?: string;
  readonly deferred?: string;
  readonly dataType?: 'string';
  readonly answer?: () => InvocationOutcome;
}

/** One function on `images/{name}`, and a blob `a` with the content `content`. */
function rig(setup: Setup = {}) {
  const clock = new VirtualClock();
  const blobs = new MemoryBlobs(clock);
  const etag = blobs.put(memoryConnection, 'images/a', 'content');
  const log = createMemoryLog(clock);
  const scripted = createScriptedInvoke(setup.answer ?? succeeded);
  const context = { ...createContext({ clock, random: createSeededRandom(1), log }), invoke: scripted.invoke };
  const binding = createBinding({ name: 'blob', type: 'blobTrigger', path: setup.path ?? 'images/{name}' });
  const target: BlobTarget = {
    context,
    pattern: parseBlobPattern(binding, createScope()),
    dataType: setup.dataType,
    deferredConnection: setup.deferred,
    outage: new OutageLog(log, { began: 'down', ended: 'up', fields: {} }),
    open: (container) => blobs.open(memoryConnection, container),
  };
  const hosts = blobs.open(memoryConnection, 'azure-webjobs-hosts');
  const control = { isStopping: false };
  const deps = {
    log,
    receipts: new BlobReceipts({ ...context, hosts, hostId: 'host' }),
    queueName: 'azure-webjobs-blobtrigger-host',
    targetOf: (id: string) => (id === functionId ? target : undefined),
    isStopping: () => control.isStopping,
  };
  const dispatch = (
    message: Partial<Parameters<typeof formatBlobTriggerMessage>[0]> | string = {},
    dequeueCount = 1,
  ) => {
    const whole = { functionId, blobType: 'Block' as const, container: 'images', blob: 'a', etag };
    const text = typeof message === 'string' ? message : formatBlobTriggerMessage({ ...whole, ...message });
    const details = { MessageId: 'm', DequeueCount: String(dequeueCount) };
    const event: TriggerEvent = { data: textData(text), metadata: new Map(), reason: '', details };
    return clock.runUntil(dispatchBlob(deps, event));
  };
  return { clock, blobs, log, scripted, dispatch, control, etag };
}

describe('dispatchBlob', () => {
  it('runs the function with the blob and gives back its outcome', async () => {
    const { dispatch, scripted } = rig({ answer: failed });
    expect(await dispatch()).toEqual(failed());
    expect(scripted.calls[0]?.event).toMatchObject({
      data: { data: { $case: 'bytes' } },
      details: { MessageId: 'm' },
    });
    expect(scripted.calls[0]?.event.metadata.get('name')?.data?.value).toBe('a');
  });

  it('gives text where the binding asks for it', async () => {
    const { dispatch, scripted } = rig({ dataType: 'string' });
    await dispatch();
    expect(scripted.calls[0]?.event.data.data).toEqual({ $case: 'string', value: 'content' });
  });

  it('asks for the spelling of metadata only where there are some', async () => {
    const { dispatch, blobs, scripted } = rig();
    await dispatch();
    expect(blobs.count('readMetadata')).toBe(0);
    const etag = blobs.put(memoryConnection, 'images/a', '', { AuthorName: 'me' });
    await dispatch({ etag });
    expect(scripted.calls[1]?.event.metadata.get('Metadata')?.data?.value).toBe('{"AuthorName":"me"}');
  });
});

describe('the invariants of dispatchBlob', () => {
  it.each([undefined, 'Shop'])('I1, I2: drops what is gone or has another version (deferred: %o)', async (deferred) => {
    const { dispatch, blobs, scripted, etag } = rig(deferred === undefined ? {} : { deferred });
    expect(await dispatch({ blob: 'gone' })).toMatchObject({ kind: 'succeeded' });
    expect(await dispatch({ container: 'gone' })).toMatchObject({ kind: 'succeeded' });
    blobs.put(memoryConnection, 'images/a', 'newer');
    expect(await dispatch({ etag })).toMatchObject({ kind: 'succeeded' });
    expect(scripted.calls).toEqual([]);
  });

  it('I1: drops what the function no longer wants, since its path was changed', async () => {
    const { dispatch, blobs, scripted } = rig({ path: 'images/{name}.png' });
    const etag = blobs.put(memoryConnection, 'images/a');
    expect(await dispatch({ etag })).toMatchObject({ kind: 'succeeded' });
    expect(scripted.calls).toEqual([]);
  });

  it('I2: a blob that changes while it is read is not given out', async () => {
    const { dispatch, blobs, scripted } = rig();
    blobs.fault = (operation) => {
      if (operation === 'read') blobs.put(memoryConnection, 'images/a', 'newer');
      return undefined;
    };
    expect(await dispatch()).toMatchObject({ kind: 'succeeded' });
    expect(scripted.calls).toEqual([]);
  });

  it('I3: keeps the message while the blob cannot be read, with one warning', async () => {
    const { dispatch, blobs, scripted, log } = rig();
    blobs.fault = () => Promise.reject(new Error('down'));
    expect(await dispatch()).toMatchObject({ kind: 'lost', reason: 'no-worker' });
    expect(await dispatch()).toMatchObject({ kind: 'lost', reason: 'no-worker' });
    blobs.fault = () => undefined;
    expect(await dispatch()).toEqual(succeeded());
    expect(scripted.calls).toHaveLength(1);
    expect(log.records.map(({ message }) => message)).toEqual(['down', 'up']);
  });

  it.each([
    ['nonsense', /not JSON/],
    ['{}', /must be texts/],
  ])('I4: fails with a message that is none of ours: %o', async (text, reason) => {
    const { dispatch, log } = rig();
    expect(await dispatch(text)).toMatchObject({ kind: 'failed', error: { message: expect.stringMatching(reason) } });
    expect(await dispatch(text, 2)).toMatchObject({ kind: 'failed' });
    expect(log.records.map(({ level }) => level)).toEqual(['warning']);
  });

  it('I4: fails with a function that the app does not run', async () => {
    const { dispatch } = rig();
    expect(await dispatch({ functionId: 'Host.Functions.Gone' })).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining("'Host.Functions.Gone'"), type: 'BLOB_FUNCTION_UNKNOWN' },
    });
  });

  it('I4: fails with a blob that is too large, and says what to do', async () => {
    const { dispatch, blobs, scripted } = rig();
    const { open } = blobs;
    blobs.open = (...call) => ({
      ...open.apply(blobs, call),
      read: async () => ({ kind: 'too-large', sizeBytes: maxContentBytes + 1 }),
    });
    const outcome = await dispatch();
    expect(outcome).toMatchObject({ kind: 'failed', error: { type: 'BLOB_TOO_LARGE' } });
    expect(outcome.kind === 'failed' && outcome.error.message).toMatch(/104857601 bytes.*deferred binding/);
    expect(scripted.calls).toEqual([]);
  });

  it('I5: begins nothing while the app is stopping', async () => {
    const { dispatch, control, scripted, blobs } = rig();
    control.isStopping = true;
    expect(await dispatch()).toMatchObject({ kind: 'lost', reason: 'stopping' });
    expect([scripted.calls, blobs.requests]).toEqual([[], []]);
  });
});
