import assert from 'node:assert/strict';
import type { Answer } from '../call.ts';
import type { ConformanceCase, Kit } from '../contract.ts';

const section = '10 Event Grid';
const needs = ['key'] as const;

/** Sends events to a function as Event Grid does, with the master key. */
function send(kit: Kit, name: string, body: unknown, type = 'Notification'): Promise<Answer> {
  const headers = { 'aeg-event-type': type };
  return kit.admin(`/runtime/webhooks/eventgrid?functionName=${name}`, { headers, body });
}

const gridEvent = (kitKey: string, data: object = {}) => ({
  id: kitKey,
  eventType: 'Kit.Made',
  subject: 'kit/subject',
  eventTime: '2024-01-02T03:04:05Z',
  dataVersion: '1.0',
  data: { kitKey, ...data },
});

const cloudEvent = (kitKey: string) => ({
  specversion: '1.0',
  id: kitKey,
  type: 'Kit.Made',
  source: '/kit',
  time: '2024-01-02T03:04:05Z',
  data: { kitKey },
});

interface GridNote {
  readonly event: Record<string, unknown>;
  readonly metadata: Record<string, unknown>;
}

const gridCases: readonly ConformanceCase[] = [
  {
    section,
    name: 'the handshake gives the code back',
    needs,
    async run(kit) {
      const body = [{ ...gridEvent('v'), eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent' }];
      const asked = body.map((event) => ({ ...event, data: { validationCode: 'kit-code' } }));
      const answer = await send(kit, 'gridOne', asked, 'SubscriptionValidation');
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json(), { validationResponse: 'kit-code' });
    },
  },
  {
    section,
    name: 'an event runs the function, and the answer is 202',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      assert.equal((await send(kit, 'gridOne', [gridEvent(kitKey)])).status, 202);
      const [note] = (await kit.notes(kitKey)) as GridNote[];
      assert.deepEqual(note?.event, gridEvent(kitKey));
    },
  },
  {
    section,
    name: 'trigger metadata holds the data of the event',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      await send(kit, 'gridOne', [gridEvent(kitKey, { color: 'red' })]);
      const [note] = (await kit.notes(kitKey)) as GridNote[];
      assert.deepEqual(note?.metadata.data, { kitKey, color: 'red' });
    },
  },
  {
    section,
    name: 'each of several events is a run of its own',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      const events = [1, 2, 3].map((n) => gridEvent(kitKey, { n }));
      assert.equal((await send(kit, 'gridOne', events)).status, 202);
      assert.equal((await kit.notes(kitKey, 3)).length, 3);
    },
  },
  {
    section,
    name: 'a function that wants many gets them at once',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      const events = [1, 2, 3].map((n) => gridEvent(kitKey, { n }));
      assert.equal((await send(kit, 'gridMany', events)).status, 202);
      assert.deepEqual(await kit.notes(kitKey), [events]);
    },
  },
  {
    section,
    name: 'an event in the CloudEvents schema runs the function as it is',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      assert.equal((await send(kit, 'gridOne', cloudEvent(kitKey))).status, 202);
      const [note] = (await kit.notes(kitKey)) as GridNote[];
      assert.deepEqual(note?.event, cloudEvent(kitKey));
    },
  },
  {
    section,
    name: 'a function that fails makes the answer 500',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      assert.equal((await send(kit, 'gridFails', [gridEvent(kitKey)])).status, 500);
      assert.deepEqual(await kit.notes(kitKey), ['try']);
    },
  },
  {
    section,
    name: 'OPTIONS allows the origin that asks',
    needs,
    async run(kit) {
      const headers = { 'webhook-request-origin': 'events.example.org' };
      const path = '/runtime/webhooks/eventgrid?functionName=gridOne';
      const answer = await kit.admin(path, { method: 'OPTIONS', headers });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['webhook-allowed-origin'], 'events.example.org');
    },
  },
  {
    section,
    name: 'an unknown function is 404',
    needs,
    run: async (kit) => assert.equal((await send(kit, 'nobody', [gridEvent('x')])).status, 404),
  },
  {
    section,
    name: 'Unsubscribe is 202',
    needs,
    run: async (kit) => assert.equal((await send(kit, 'gridOne', [], 'Unsubscribe')).status, 202),
  },
  {
    section,
    name: 'any other kind of request is 400',
    needs,
    run: async (kit) => assert.equal((await send(kit, 'gridOne', [gridEvent('x')], 'Nonsense')).status, 400),
  },
  {
    section,
    name: 'a caller without a key is 401',
    needs,
    async run(kit) {
      const headers = { 'aeg-event-type': 'Notification' };
      const path = '/runtime/webhooks/eventgrid?functionName=gridOne';
      assert.equal((await kit.call(path, { headers, body: [gridEvent('x')] })).status, 401);
      assert.equal((await kit.call(`${path}&code=nonsense`, { headers, body: [gridEvent('x')] })).status, 401);
    },
  },
  {
    section,
    name: 'the system key eventgrid_extension opens the webhook, and a host key does not',
    needs,
    async run(kit) {
      const headers = { 'aeg-event-type': 'Notification' };
      const path = '/runtime/webhooks/eventgrid?functionName=gridOne';
      await kit.call(`${path}&code=nonsense`, { headers, body: [] });
      const made = await kit.admin('/admin/host/systemkeys/eventgrid_extension');
      assert.equal(made.status, 200);
      const { value } = made.json() as { value: string };
      const kitKey = kit.unique();
      const answer = await kit.call(`${path}&code=${encodeURIComponent(value)}`, {
        headers,
        body: [gridEvent(kitKey)],
      });
      assert.equal(answer.status, 202);
      const host = (await kit.admin('/admin/host/keys/default')).json() as { value: string };
      assert.equal((await kit.call(`${path}&code=${host.value}`, { headers, body: [] })).status, 401);
    },
  },
  {
    section,
    name: 'an extension that is not there is 404',
    needs,
    run: async (kit) => assert.equal((await kit.admin('/runtime/webhooks/nothing', { body: [] })).status, 404),
  },
  {
    section,
    name: 'output: a topic that does not answer fails the function',
    run: async (kit) => assert.equal((await kit.function('grid/send', { body: gridEvent('x') })).status, 500),
  },
];

const blobs = '9 Storage triggers: blobs by events';

const blobEvent = (container: string, name: string) => ({
  id: name,
  eventType: 'Microsoft.Storage.BlobCreated',
  subject: `/blobServices/default/containers/${container}/blobs/${name}`,
  eventTime: '2024-01-02T03:04:05Z',
  dataVersion: '',
  data: { api: 'PutBlob', url: `https://account.blob.core.windows.net/${container}/${name}` },
});

function sendBlob(kit: Kit, body: unknown, type = 'Notification'): Promise<Answer> {
  const headers = { 'aeg-event-type': type };
  return kit.admin('/runtime/webhooks/blobs?functionName=Host.Functions.blobByEvents', { headers, body });
}

const blobCases: readonly ConformanceCase[] = [
  {
    section: blobs,
    name: 'the handshake gives the code back',
    needs: ['key', 'storage'],
    async run(kit) {
      const answer = await sendBlob(kit, [{ data: { validationCode: 'kit-code' } }], 'SubscriptionValidation');
      assert.deepEqual([answer.status, answer.json()], [200, { validationResponse: 'kit-code' }]);
    },
  },
  {
    section: blobs,
    name: 'an event of a new blob runs the function with its content',
    needs: ['key', 'storage'],
    async run(kit) {
      const name = kit.unique();
      await kit.storage.upload('kit-events', name, 'told by an event');
      assert.equal((await sendBlob(kit, [blobEvent('kit-events', name)])).status, 202);
      assert.deepEqual(await kit.notes(`events-${name}`), ['told by an event']);
    },
  },
  {
    section: blobs,
    name: 'a blob of another container, or one that is gone, is taken and runs nothing',
    needs: ['key', 'storage'],
    async run(kit) {
      const name = kit.unique();
      assert.equal((await sendBlob(kit, [blobEvent('kit-others', name)])).status, 202);
      assert.equal((await sendBlob(kit, [blobEvent('kit-events', name)])).status, 202);
      assert.deepEqual(await kit.notesSoFar(`events-${name}`), []);
    },
  },
  {
    section: blobs,
    name: 'nobody scans for it: a blob without an event runs nothing',
    needs: ['key', 'storage'],
    async run(kit) {
      const [quiet, told] = [kit.unique(), kit.unique()];
      await kit.storage.upload('kit-events', quiet, 'quiet');
      await kit.storage.upload('kit-events', told, 'told');
      await sendBlob(kit, [blobEvent('kit-events', told)]);
      await kit.notes(`events-${told}`);
      assert.deepEqual(await kit.notesSoFar(`events-${quiet}`), []);
    },
  },
];

const other: readonly ConformanceCase[] = [
  {
    section: '6 Admin API',
    name: 'warm-up runs the function with a warm-up trigger, once',
    needs,
    async run(kit) {
      assert.ok((await kit.admin('/admin/warmup', { method: 'POST' })).status < 300);
      await kit.notes('warm-up');
      assert.ok((await kit.admin('/admin/warmup', { method: 'POST' })).status < 300);
      assert.deepEqual(await kit.notesSoFar('warm-up'), ['ran']);
    },
  },
  ...(['', '/live', '/ready'] as const).map(
    (path): ConformanceCase => ({
      section: '6 Admin API',
      name: `runtime/health${path} is there for everybody, who learn the word alone`,
      needs,
      async run(kit) {
        const answer = await kit.call(`/runtime/health${path}`);
        assert.equal(answer.status, 200);
        assert.deepEqual(Object.keys(answer.json() as object), ['status']);
        assert.ok(['healthy', 'degraded'].includes((answer.json() as { status: string }).status));
      },
    }),
  ),
  {
    section: '6 Admin API',
    name: 'runtime/health tells administrators more',
    needs,
    async run(kit) {
      const answer = (await kit.admin('/runtime/health')).json() as object;
      assert.ok(Object.keys(answer).length > 1);
    },
  },
  {
    section: '6 Admin API',
    name: 'host/state takes the app offline, and back',
    needs,
    isDisruptive: true,
    async run(kit) {
      const set = (state: string) => kit.admin('/admin/host/state', { method: 'PUT', body: JSON.stringify(state) });
      assert.equal((await set('nonsense')).status, 400);
      assert.equal((await set('offline')).status, 202);
      assert.equal((await kit.function('named_byItself')).status, 503);
      assert.equal((await set('running')).status, 202);
      assert.equal((await kit.function('named_byItself')).status, 200);
    },
  },
  {
    section: '6 Admin API',
    name: 'restart: the app serves again',
    needs,
    isDisruptive: true,
    async run(kit) {
      assert.ok((await kit.admin('/admin/host/restart', { method: 'POST' })).status < 300);
      assert.equal((await kit.function('named_byItself')).status, 200);
    },
  },
];

export const eventCases = [...gridCases, ...blobCases, ...other];
