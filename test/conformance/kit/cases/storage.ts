import assert from 'node:assert/strict';
import type { ConformanceCase } from '../contract.ts';
import { eventually } from '../eventually.ts';

const section = '9 Storage triggers: queues';
const needs = ['storage'] as const;

interface QueueNote {
  readonly message: unknown;
  readonly metadata: Readonly<Record<string, unknown>>;
}

const messages: readonly (readonly [what: string, text: string, expected: unknown])[] = [
  ['text', 'plain text', 'plain text'],
  ['text with an umlaut', 'grüße', 'grüße'],
  ['a JSON object', '{"a":{"b":[1,2]}}', { a: { b: [1, 2] } }],
  ['a JSON list', '[1,2]', [1, 2]],
  ['JSON that is none', '{"a":', '{"a":'],
  ['a long text', 'x'.repeat(40_000), 'x'.repeat(40_000)],
];
const messageCases = messages.map(
  ([what, text, expected]): ConformanceCase => ({
    section,
    name: `a message of ${what} reaches the function`,
    needs,
    async run(kit) {
      const id = await kit.storage.send('kit-sees', text);
      const [note] = (await kit.notes(`queue-${id}`)) as QueueNote[];
      assert.deepEqual(note?.message, expected);
    },
  }),
);

/** Name of the value as the Node library spells it, and what it looks like. */
const metadata: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['queueTrigger', /^\{"kitKey":/],
  ['dequeueCount', /^1$/],
  ['id', /^[0-9a-f-]{36}$/],
  ['popReceipt', /.+/],
  ['insertionTime', /^"?\d{4}-\d\d-\d\dT/],
  ['expirationTime', /^"?\d{4}-\d\d-\d\dT/],
  ['nextVisibleTime', /^"?\d{4}-\d\d-\d\dT/],
];
const metadataCases = metadata.map(
  ([name, pattern]): ConformanceCase => ({
    section,
    name: `trigger metadata holds ${name}`,
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      await kit.storage.send('kit-sees', { kitKey });
      const [note] = (await kit.notes(kitKey)) as QueueNote[];
      const value = note?.metadata[name];
      assert.match(typeof value === 'string' ? value : JSON.stringify(value), pattern);
    },
  }),
);

const outputs: readonly (readonly [what: string, body: unknown, expected: readonly string[]])[] = [
  ['an object is JSON', { a: 1 }, ['{"a":1}']],
  ['a text is as it is', 'text', ['text']],
  ['a list is several messages', [{ n: 1 }, { n: 2 }, { n: 3 }], ['{"n":1}', '{"n":2}', '{"n":3}']],
];
const outputCases = outputs.map(
  ([what, body, expected]): ConformanceCase => ({
    section,
    name: `output: ${what}`,
    needs,
    async run(kit) {
      const target = kit.unique();
      const text = JSON.stringify(body);
      const headers = { 'content-type': 'application/json' };
      assert.equal((await kit.function(`queue/send/${target}`, { headers, body: text })).status, 202);
      const found: string[] = [];
      for (const _ of expected) found.push(await kit.storage.receive(`kit-out-${target}`));
      assert.deepEqual(found.map(compact).sort(), expected);
    },
  }),
);

const queueCases: readonly ConformanceCase[] = [
  {
    section,
    name: 'a message that succeeded is gone',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      await kit.storage.send('kit-settings', { kitKey });
      await kit.notes(kitKey);
      await kit.storage.emptied('kit-settings');
    },
  },
  {
    section,
    name: 'the name of a queue may stand in a setting',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      await kit.storage.send('kit-settings', { kitKey, n: 1 });
      assert.deepEqual(await kit.notes(kitKey), [{ kitKey, n: 1 }]);
    },
  },
  {
    section,
    name: 'properties of a JSON message are among the metadata',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      await kit.storage.send('kit-sees', { kitKey, color: 'red' });
      const [note] = (await kit.notes(kitKey)) as QueueNote[];
      assert.equal(note?.metadata.color, 'red');
    },
  },
  {
    section,
    name: 'a message that fails comes again, counted',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      await kit.storage.send('kit-fails-once', { kitKey });
      assert.deepEqual((await kit.notes(kitKey, 2)).map(Number), [1, 2]);
    },
  },
  {
    section,
    name: 'a message that fails too often goes to the poison queue as it was',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      const text = JSON.stringify({ kitKey, extra: ['as', 'it', 'was'] });
      await kit.storage.send('kit-fails', text);
      assert.equal(await kit.storage.receive('kit-fails-poison', (found) => found.includes(kitKey)), text);
    },
  },
  {
    section,
    name: 'one function feeds the next, through a name from the message',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      await kit.storage.send('kit-chain', { kitKey, target: 'settings' });
      assert.deepEqual(await kit.notes(kitKey), [{ from: 'chain', kitKey }]);
    },
  },
  {
    section,
    name: 'output: the name of the queue goes to lower case',
    needs,
    async run(kit) {
      const target = kit.unique();
      await kit.function(`queue/send/${target.toUpperCase()}`, { body: { a: 1 } });
      assert.equal(compact(await kit.storage.receive(`kit-out-${target}`)), '{"a":1}');
    },
  },
  {
    section,
    name: 'two hundred messages are all handled, each once',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      const numbers = Array.from({ length: 200 }, (_, n) => n);
      for (let at = 0; at < numbers.length; at += 20)
        await Promise.all(numbers.slice(at, at + 20).map((n) => kit.storage.send('kit-settings', { kitKey, n })));
      const notes = (await kit.notes(kitKey, numbers.length)) as { n: number }[];
      assert.deepEqual(
        notes.map(({ n }) => n).sort((a, b) => a - b),
        numbers,
      );
    },
  },
];

const blobs = '9 Storage triggers: blobs';

interface BlobNote {
  readonly content: { readonly base64: string };
  readonly metadata: Readonly<Record<string, unknown>>;
}

const blobMetadata: readonly (readonly [name: string, check: (value: unknown, name: string) => void])[] = [
  ['blobTrigger', (value, name) => assert.equal(value, `kit-blobs/${name}.txt`)],
  ['uri', (value, name) => assert.match(JSON.stringify(value), new RegExp(`kit-blobs/${name}\\.txt`))],
  ['name', (value, name) => assert.equal(value, name)],
  ['extension', (value) => assert.equal(value, 'txt')],
  ['metadata', (value) => assert.equal((value as Record<string, unknown>).kit, 'yes')],
  ['properties', (value) => assert.ok(typeof value === 'object' && value !== null)],
];
const blobMetadataCases = blobMetadata.map(
  ([key, check]): ConformanceCase => ({
    section: blobs,
    name: `trigger metadata holds ${key}`,
    needs,
    async run(kit) {
      const name = kit.unique();
      await kit.storage.upload('kit-blobs', `${name}.txt`, 'content');
      const [note] = (await kit.notes(`blob-${name}`)) as BlobNote[];
      check(note?.metadata[key], name);
    },
  }),
);

const blobCases: readonly ConformanceCase[] = [
  {
    section: blobs,
    name: 'the content of a new blob reaches the function',
    needs,
    async run(kit) {
      const name = kit.unique();
      await kit.storage.upload('kit-blobs', `${name}.bin`, Uint8Array.of(0, 255, 1));
      const [note] = (await kit.notes(`blob-${name}`)) as BlobNote[];
      assert.deepEqual([...Buffer.from(note?.content.base64 ?? '', 'base64')], [0, 255, 1]);
    },
  },
  {
    section: blobs,
    name: 'a new version of a blob runs again, the same one does not',
    needs,
    async run(kit) {
      const name = kit.unique();
      await kit.storage.upload('kit-blobs', `${name}.txt`, 'first');
      await kit.notes(`blob-${name}`);
      await kit.storage.upload('kit-blobs', `${name}.txt`, 'second');
      const notes = (await kit.notes(`blob-${name}`, 2)) as BlobNote[];
      assert.deepEqual(
        notes.map(({ content }) => Buffer.from(content.base64, 'base64').toString()),
        ['first', 'second'],
      );
    },
  },
  {
    section: blobs,
    name: 'a blob that does not fit the pattern does not run',
    needs,
    async run(kit) {
      const [name, other] = [kit.unique(), kit.unique()];
      await kit.storage.upload('kit-blobs', other, 'no extension');
      await kit.storage.upload('kit-blobs', `${name}.txt`, 'fits');
      await kit.notes(`blob-${name}`);
      assert.deepEqual(await kit.notesSoFar(`blob-${other}`), []);
    },
  },
  {
    section: blobs,
    name: 'a blob that fails too often becomes a message in the poison queue',
    needs,
    async run(kit) {
      const name = kit.unique();
      await kit.storage.upload('kit-blobs-bad', name, 'bad');
      const text = await kit.storage.receive('webjobs-blobtrigger-poison', (found) => found.includes(name));
      const message = JSON.parse(text);
      assert.deepEqual(
        [message.FunctionId, message.ContainerName, message.BlobName],
        ['Host.Functions.blobFails', 'kit-blobs-bad', name],
      );
      assert.equal((await kit.notesSoFar(`blob-${name}`)).length, 2);
    },
  },
  {
    section: blobs,
    name: 'a receipt says which version was handled',
    needs,
    async run(kit) {
      const name = kit.unique();
      await kit.storage.upload('kit-blobs', `${name}.txt`, 'x');
      await kit.notes(`blob-${name}`);
      const receipts = await kit.storage.list('azure-webjobs-hosts', 'blobreceipts/');
      assert.ok(receipts.some((receipt) => receipt.includes('Host.Functions.blobSees') && receipt.includes(name)));
    },
  },
  {
    section: blobs,
    name: 'output: a blob is written under a name from the trigger',
    needs,
    async run(kit) {
      const name = kit.unique();
      await kit.storage.upload('kit-chain', `${name}.in`, 'loud');
      const text = await eventually('the blob', () => kit.storage.read('kit-chain', `${name}.out`));
      assert.equal(text, 'LOUD');
    },
  },
  {
    section: blobs,
    name: 'output: the container is created',
    needs,
    async run(kit) {
      const name = kit.unique();
      assert.equal((await kit.function(`write/newContainer/${name}`, { method: 'POST' })).status, 201);
      assert.equal(await kit.storage.read(`kit-new-${name}`, 'file'), 'written by newContainer');
    },
  },
  {
    section: blobs,
    name: 'input: the content of a blob',
    needs,
    async run(kit) {
      const name = kit.unique();
      await kit.storage.upload('kit-read', name, 'hello');
      const seen = (await kit.function(`blob/read/${name}`)).json() as { content: unknown };
      const base64 = (seen.content as { base64?: string }).base64;
      assert.equal(base64 === undefined ? seen.content : Buffer.from(base64, 'base64').toString(), 'hello');
    },
  },
  {
    section: blobs,
    name: 'input: a blob that is not there is null',
    needs,
    async run(kit) {
      const seen = (await kit.function(`blob/read/${kit.unique()}`)).json();
      assert.equal((seen as { isThere: boolean }).isThere, false);
    },
  },
];

export const storageCases = [
  ...messageCases,
  ...metadataCases,
  ...outputCases,
  ...queueCases,
  ...blobMetadataCases,
  ...blobCases,
];

/** JSON without the blanks in which hosts differ; any other text as it is. */
function compact(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? JSON.stringify(value) : text;
  } catch {
    return text;
  }
}
