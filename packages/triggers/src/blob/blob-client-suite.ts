/** What every BlobContainer promises. The ends of leases are left to the adapters' own tests: a real one lasts 15 s. */
import { describe, expect, it } from 'vitest';
import type { BlobContainer, BlobItem } from './blob-client.ts';

const { signal } = new AbortController();
const mine = { leaseId: '11111111-2222-4333-8444-555555555555', durationMs: 60_000 };
const theirs = { leaseId: '99999999-2222-4333-8444-555555555555', durationMs: 60_000 };
const maxBytes = 1_000;

/** Runs the promises against containers of the given names, which do not exist at first. */
export function testBlobContainer(name: string, open: (containerName: string) => BlobContainer): void {
  let containers = 0;
  const fresh = (): BlobContainer => {
    containers += 1;
    return open(`suite-${containers}`);
  };
  const created = async (...blobs: string[]): Promise<BlobContainer> => {
    const container = fresh();
    await container.create(signal);
    for (const blob of blobs) await put(container, blob, blob);
    return container;
  };

  describe(`${name} as a blob container`, () => {
    it('says that a container is missing, and does nothing else about it', async () => {
      const container = fresh();
      expect(await container.list({ maxBlobs: 5 }, signal)).toEqual({ kind: 'missing' });
      expect(await put(container, 'a', 'text')).toEqual({ kind: 'missing' });
      expect(await container.properties('a', signal)).toEqual({ kind: 'missing' });
      expect(await container.acquireLease('a', mine, signal)).toBe('missing');
      expect(await container.list({ maxBlobs: 5 }, signal)).toEqual({ kind: 'missing' });
    });

    it('says that a blob is missing', async () => {
      const container = await created();
      expect(await container.read('a', { maxBytes }, signal)).toEqual({ kind: 'missing' });
      expect(await container.properties('a', signal)).toEqual({ kind: 'missing' });
      expect(await container.readMetadata('a', signal)).toEqual({ kind: 'missing' });
      expect(await container.writeMetadata('a', new Map(), {}, signal)).toEqual({ kind: 'missing' });
      expect(await container.delete('a', {}, signal)).toBe('missing');
      expect(await container.acquireLease('a', mine, signal)).toBe('missing');
      expect(await container.renewLease('a', mine.leaseId, signal)).toBe('lost');
      expect(await container.releaseLease('a', mine.leaseId, signal)).toBe('lost');
      expect(await container.breakLease('a', signal)).toBe('missing');
    });

    it('creates a container, and is content when it exists', async () => {
      const container = await created('a');
      await container.create(signal);
      expect(await names(container)).toEqual(['a']);
    });

    it.each(['plain.txt', 'folder/"0x8D"/ä b?c#d%25&e+f.txt', '日本/🎉', 'a//b'])(
      'keeps content, metadata and type of %o',
      async (blob) => {
        const container = await created();
        const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
        const metadata = new Map([['AuthorName', 'me']]);
        const written = await container.write(blob, bytes, { contentType: 'image/png', metadata }, signal);
        expect(written).toEqual({ kind: 'written', etag: expect.stringMatching(/^"[^"]+"$/) });
        const read = await container.read(blob, { maxBytes }, signal);
        expect(read).toMatchObject({
          kind: 'found',
          properties: { sizeBytes: 256, type: 'Block', headers: { ContentType: 'image/png' } },
        });
        expect(read.kind === 'found' && Uint8Array.from(read.bytes)).toEqual(bytes);
        expect(read.kind === 'found' && read.properties.metadata).toEqual(new Map([['authorname', 'me']]));
        expect(await container.readMetadata(blob, signal)).toEqual({ kind: 'found', metadata });
        expect(await names(container)).toEqual([blob]);
      },
    );

    it('tells the same ETag and time in every answer', async () => {
      const container = await created();
      const written = await put(container, 'a', 'text');
      const [item] = await items(container);
      const found = await container.properties('a', signal);
      const properties = found.kind === 'found' ? found.properties : undefined;
      expect(written).toEqual({ kind: 'written', etag: item?.etag });
      expect(properties).toMatchObject({ etag: item?.etag, lastModifiedMs: item?.lastModifiedMs, type: item?.type });
      expect(properties?.createdMs).toBeLessThanOrEqual(item?.lastModifiedMs ?? 0);
      expect(properties?.uri).toMatch(/\/suite-\d+\/a$/);
      const page = await container.list({ maxBlobs: 1 }, signal);
      expect(page).toMatchObject({ kind: 'page' });
      expect(page.kind === 'page' && page.serverTimeMs).toBeGreaterThanOrEqual(item?.lastModifiedMs ?? 0);
    });

    it('gives a new ETag to every change', async () => {
      const container = await created();
      const etags = [
        await put(container, 'a', '1'),
        await put(container, 'a', '1'),
        await container.writeMetadata('a', new Map([['k', 'v']]), {}, signal),
      ].map((result) => result.kind === 'written' && result.etag);
      expect(new Set(etags).size).toBe(3);
    });

    it('lists page by page, in order, with everything once', async () => {
      const container = await created('b', 'a/2', 'c', 'a/1', 'a');
      const seen: string[] = [];
      let continuation: string | undefined;
      let pages = 0;
      do {
        const page = await container.list({ maxBlobs: 2, continuation }, signal);
        if (page.kind === 'missing') throw new Error('the container exists');
        expect(page.blobs.length).toBeLessThanOrEqual(2);
        seen.push(...page.blobs.map((blob) => blob.name));
        continuation = page.continuation;
        pages += 1;
      } while (continuation !== undefined);
      expect(seen).toEqual(['a', 'a/1', 'a/2', 'b', 'c']);
      expect(pages).toBe(3);
      const some = await container.list({ maxBlobs: 9, prefix: 'a/' }, signal);
      expect(some.kind === 'page' && some.blobs.map((blob) => blob.name)).toEqual(['a/1', 'a/2']);
    });

    it('lists metadata where it is asked for', async () => {
      const container = await created('a');
      await container.write('a', new Uint8Array(), { metadata: new Map([['ownerid', 'me']]) }, signal);
      const plain = await container.list({ maxBlobs: 9 }, signal);
      expect(plain.kind === 'page' && plain.blobs[0]).not.toHaveProperty('metadata');
      const full = await container.list({ maxBlobs: 9, withMetadata: true }, signal);
      expect(full.kind === 'page' && full.blobs.map(({ metadata }) => metadata)).toEqual([
        new Map([['ownerid', 'me']]),
      ]);
    });

    it('reads no more than the caller wants to hold', async () => {
      const container = await created('12345678');
      expect(await container.read('12345678', { maxBytes: 7 }, signal)).toEqual({ kind: 'too-large', sizeBytes: 8 });
      expect(await container.read('12345678', { maxBytes: 8 }, signal)).toMatchObject({ kind: 'found' });
    });

    it('keeps conditions', async () => {
      const container = await created();
      const first = await container.write('a', bytesOf('1'), { ifMissing: true }, signal);
      const ifMatch = first.kind === 'written' ? first.etag : '';
      expect(await container.write('a', bytesOf('2'), { ifMissing: true }, signal)).toEqual({ kind: 'refused' });
      expect(await container.read('a', { maxBytes, ifMatch }, signal)).toMatchObject({ kind: 'found' });
      expect(await container.write('a', bytesOf('3'), { ifMatch }, signal)).toMatchObject({ kind: 'written' });
      expect(await container.read('a', { maxBytes, ifMatch }, signal)).toEqual({ kind: 'refused' });
      expect(await container.write('a', bytesOf('4'), { ifMatch }, signal)).toEqual({ kind: 'refused' });
      expect(await container.writeMetadata('a', new Map(), { ifMatch }, signal)).toEqual({ kind: 'refused' });
      expect(await container.delete('a', { ifMatch }, signal)).toBe('refused');
      expect(await textOf(container, 'a')).toBe('3');
      expect(await container.delete('a', {}, signal)).toBe('deleted');
      expect(await names(container)).toEqual([]);
    });

    it('gives a lease to one at a time, and again to its holder', async () => {
      const container = await created('a');
      expect(await container.acquireLease('a', mine, signal)).toBe('acquired');
      expect(await container.acquireLease('a', theirs, signal)).toBe('taken');
      expect(await container.acquireLease('a', mine, signal)).toBe('acquired');
      expect(await container.renewLease('a', mine.leaseId, signal)).toBe('renewed');
      expect(await container.renewLease('a', theirs.leaseId, signal)).toBe('lost');
      expect(await container.releaseLease('a', theirs.leaseId, signal)).toBe('lost');
      expect(await container.releaseLease('a', mine.leaseId, signal)).toBe('released');
      expect(await container.acquireLease('a', theirs, signal)).toBe('acquired');
      expect(await container.releaseLease('a', theirs.leaseId, signal)).toBe('released');
    });

    it('gives a lease on one version only, where one is named', async () => {
      const container = await created();
      const first = await put(container, 'a', '1');
      const ifMatch = first.kind === 'written' ? first.etag : '';
      expect(await container.acquireLease('a', { ...mine, ifMatch: '"0x0"' }, signal)).toBe('taken');
      expect(await container.acquireLease('a', { ...mine, ifMatch }, signal)).toBe('acquired');
      expect(await container.releaseLease('a', mine.leaseId, signal)).toBe('released');
      expect(await container.acquireLease('a', { ...theirs, ifMatch }, signal)).toBe('acquired');
      await container.writeMetadata('a', new Map(), { leaseId: theirs.leaseId }, signal);
      await container.releaseLease('a', theirs.leaseId, signal);
      expect(await container.acquireLease('a', { ...mine, ifMatch }, signal)).toBe('taken');
    });

    it('lets the holder of the lease write, and nobody else', async () => {
      const container = await created('a');
      await container.acquireLease('a', mine, signal);
      const attempts = [{}, { leaseId: theirs.leaseId }, { ifMissing: true }];
      for (const attempt of attempts) {
        expect(await container.write('a', bytesOf('no'), attempt, signal)).toEqual({ kind: 'refused' });
      }
      expect(await container.writeMetadata('a', new Map(), {}, signal)).toEqual({ kind: 'refused' });
      expect(await container.delete('a', {}, signal)).toBe('refused');
      const { leaseId } = mine;
      expect(await container.writeMetadata('a', new Map(), { leaseId }, signal)).toMatchObject({ kind: 'written' });
      expect(await container.write('a', bytesOf('yes'), { leaseId }, signal)).toMatchObject({ kind: 'written' });
      expect(await textOf(container, 'a')).toBe('yes');
      expect(await container.releaseLease('a', leaseId, signal)).toBe('released');
    });

    it('breaks a lease at once, and its holder finds out', async () => {
      const container = await created('a');
      expect(await container.breakLease('a', signal)).toBe('free');
      await container.acquireLease('a', mine, signal);
      expect(await container.breakLease('a', signal)).toBe('broken');
      const { leaseId } = mine;
      expect(await container.renewLease('a', leaseId, signal)).toBe('lost');
      expect(await container.writeMetadata('a', new Map(), { leaseId }, signal)).toEqual({ kind: 'refused' });
      expect(await container.writeMetadata('a', new Map(), {}, signal)).toMatchObject({ kind: 'written' });
      expect(await container.acquireLease('a', theirs, signal)).toBe('acquired');
    });

    it('rejects at once when the signal has aborted', async () => {
      const container = await created('a');
      await expect(container.properties('a', AbortSignal.abort())).rejects.toThrow();
      expect(await names(container)).toEqual(['a']);
    });
  });
}

function put(container: BlobContainer, blob: string, text: string): ReturnType<BlobContainer['write']> {
  return container.write(blob, bytesOf(text), {}, signal);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function textOf(container: BlobContainer, blob: string): Promise<string | undefined> {
  const read = await container.read(blob, { maxBytes }, signal);
  return read.kind === 'found' ? new TextDecoder().decode(read.bytes) : undefined;
}

async function items(container: BlobContainer): Promise<readonly BlobItem[]> {
  const page = await container.list({ maxBlobs: 100 }, signal);
  return page.kind === 'page' ? page.blobs : [];
}

async function names(container: BlobContainer): Promise<readonly string[]> {
  return (await items(container)).map((item) => item.name);
}
