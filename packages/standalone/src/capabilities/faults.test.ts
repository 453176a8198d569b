/** What goes wrong on purpose, with real hosts: whoever is not at fault must not notice. */
import { connect as connectSocket } from 'node:net';
import { MessageChannel } from 'node:worker_threads';
import { type Capabilities, connect, type RpcTarget } from '@switchyard/capabilities';
import { defaultBrokerOptions } from '@switchyard/capability-broker';
import { afterAll, afterEach, expect, it } from 'vitest';
import { openRunningBroker, probe, type RunningTestBroker, removeTestFolders } from './testing/open-running-broker.ts';

let broker: RunningTestBroker;
afterEach(async () => {
  await broker?.close();
});
afterAll(() => removeTestFolders());

const thread = probe({ name: 'thread', tier: 2, kind: 'thread' });

async function codeOf(work: () => PromiseLike<unknown> | undefined): Promise<unknown> {
  const error = await (async () => work())().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error === undefined ? undefined : ((error as { readonly code?: unknown }).code ?? String(error));
}

/** A client whose calls work, before and after what happens to others. */
async function openBystander(name: string) {
  const client = await broker.client('bystander');
  const { echo } = (await client.acquire({ required: [name] })).get(name);
  return async (): Promise<void> => expect(await echo?.('still here')).toBe('still here');
}

/** Two accounts that prefer different shards. */
function accountsApart(client: (account: string) => Promise<Capabilities>, name: string) {
  return Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const account = `tenant-${index}`;
      const caps = await (await client(account)).acquire({ required: [name] });
      return { account, caps, shard: caps.handles.get(name)?.shard ?? '' };
    }),
  );
}

it('kill -9 of a shard with 100 calls in flight: all settle, its leases are gone, its accounts move, others stay', async () => {
  broker = await openRunningBroker([probe({ shards: 2, limits: { maxConcurrentCalls: 200 } })]);
  const all = await accountsApart((account) => broker.client(account), 'probe');
  const [victim] = all;
  const survivor = all.find(({ shard }) => shard !== victim?.shard);
  if (victim === undefined || survivor === undefined) throw new Error('all accounts are on one shard');
  const handle = victim.caps.handles.get('probe');
  const calls = Array.from({ length: 100 }, () => codeOf(() => handle?.invoke('ignore', [])));
  await handle?.invoke('echo', ['all calls before this one have arrived']);
  const instance = broker.broker.pool.all().find(({ shard }) => shard === victim.shard);
  process.kill(instance?.pid ?? 0, 'SIGKILL');
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['SHARD_UNAVAILABLE']));
  const onShard = all.filter(({ shard }) => shard === victim.shard).length;
  await expect.poll(() => broker.broker.leases.size).toBe(all.length - onShard);
  expect(broker.broker.leases.heldOf(instance?.instanceId ?? '')).toEqual([]);
  expect(await survivor.caps.get('probe').echo?.(1)).toBe(1);
  const moved = await (await broker.client(victim.account)).acquire({ required: ['probe'] });
  expect(moved.handles.get('probe')?.shard).toBe(survivor.shard);
  expect(moved.warnings[0]).toContain("the account's own shard takes nobody now");
  expect(await moved.get('probe').echo?.(2)).toBe(2);
});

it('a capability that answers a call never is told by TIMEOUT, and its other calls go on', async () => {
  // The limit holds for the call beside it too, and is more than a busy machine takes for that one.
  broker = await openRunningBroker([probe({ limits: { maxExecutionMs: 1_000 } })]);
  const caps = await (await broker.client()).acquire({ required: ['probe'] });
  const hung = codeOf(() => caps.handles.get('probe')?.invoke('ignore', []));
  expect(await caps.get('probe').echo?.(1)).toBe(1);
  expect(await hung).toBe('TIMEOUT');
});

it('a call that its caller cancels ends in the client and in the host, also through the broker', async () => {
  broker = await openRunningBroker([probe({ limits: { maxConcurrentCalls: 1 } })], {
    webSocket: { host: '127.0.0.1', port: 0 },
  });
  for (const endpoint of [broker.endpoint, broker.webSocketUrl]) {
    const caps = await (await broker.client('x', endpoint)).acquire({ required: ['probe'] });
    const stop = new AbortController();
    const waiting = codeOf(() => caps.handles.get('probe')?.invoke('ignore', [], { signal: stop.signal }));
    await expect.poll(() => codeOf(() => caps.get('probe').add?.(1, 2))).toBe('RESOURCE_EXHAUSTED');
    stop.abort();
    expect(await waiting).toBe('CANCELLED');
    // Its place is free again.
    await expect.poll(() => codeOf(() => caps.get('probe').add?.(1, 2))).toBe(undefined);
  }
});

it.each([
  ['thread', thread],
  ['process', probe({ name: 'process' })],
])(
  'a capability that spins in a %s is stopped, its callers are told, and the next request gets a new host',
  async (name, spinning) => {
    // More than a host stands still on a busy machine: the other one must not be taken for hung.
    const pool = { ...defaultBrokerOptions.pool, probeIntervalMs: 50, hangMs: 2_000 };
    broker = await openRunningBroker([spinning, probe({ name: 'other' })], { limits: { pool } });
    const check = await openBystander('other');
    const client = await broker.client();
    const caps = await client.acquire({ required: [name] });
    const waiting = codeOf(() => caps.handles.get(name)?.invoke('ignore', []));
    const spins = codeOf(() => caps.handles.get(name)?.invoke('spin', []));
    await check();
    expect([await spins, await waiting]).toEqual(['SHARD_UNAVAILABLE', 'SHARD_UNAVAILABLE']);
    await check();
    expect(await (await client.acquire({ required: [name] })).get(name).echo?.(1)).toBe(1);
  },
);

it('a stub after its release answers RELEASED, in the client and at the host', async () => {
  broker = await openRunningBroker([probe(), thread]);
  const client = await broker.client();
  for (const name of ['probe', 'thread']) {
    const caps = await client.acquire({ required: [name] });
    const { echo } = caps.get(name);
    const running = codeOf(() => caps.handles.get(name)?.invoke('ignore', []));
    await echo?.(1);
    for (const lease of broker.broker.leases.all()) broker.broker.release([lease.leaseId]);
    expect(await running).toBe('RELEASED');
    expect(await codeOf(() => echo?.(1))).toBe('RELEASED');
    await caps.release();
    await caps.release();
    expect(await codeOf(() => echo?.(1))).toBe('RELEASED');
  }
});

it('values that are too large, too deep or cyclic fail for their sender alone', async () => {
  broker = await openRunningBroker([probe({ limits: { maxPayloadBytes: 1_000_000 } })]);
  const check = await openBystander('probe');
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  const values: readonly [unknown, unknown][] = [
    ['x'.repeat(2_000_000), 'INVALID_PAYLOAD'],
    [nested(70), 'INVALID_PAYLOAD'],
    [new Map(), expect.anything()],
    [cycle, expect.anything()],
    // These two end the sender's own session with the host.
    [nested(200), expect.anything()],
    ['x'.repeat(17 * 1024 * 1024), expect.anything()],
  ];
  for (const [value, code] of values) {
    const client = await broker.client('sender');
    const { echo } = (await client.acquire({ required: ['probe'] })).get('probe');
    expect(await codeOf(() => echo?.(value))).toEqual(code);
    await check();
    const { echo: again } = (await client.acquire({ required: ['probe'] })).get('probe');
    expect(await again?.(1)).toBe(1);
    client.close();
  }
});

/** Lines that a hostile peer sends, and how each must end: the session, or the call. */
const hostile: readonly [string, readonly string[]][] = [
  ['no JSON', ['hello']],
  ['an unknown message', ['["frobnicate",1]']],
  ['a number that was never given', ['["pull",99]']],
  ['an answer to nothing', ['["resolve",-5,true]']],
  ['a release of everything', ['["release",0,1000]', '["release",1,1]']],
  [
    'the prototype',
    ['["push",["pipeline",0,["__proto__","constructor","constructor"],["return process"]]]', '["pull",1]'],
  ],
  ['a constructor', ['["push",["pipeline",0,["constructor"],[]]]', '["pull",1]']],
  ['a method nobody offers', ['["push",["pipeline",0,["#identify"],["x"]]]', '["pull",1]']],
  [
    'an account without a token',
    ['["push",["pipeline",0,["authenticate"],[{"__proto__":{"length":3}}]]]', '["pull",1]'],
  ],
  [
    'keys of the prototype',
    ['["push",["pipeline",0,["authenticate"],[{"__proto__":{"admin":true},"constructor":1}]]]', '["pull",1]'],
  ],
  [
    'a replay of nonsense',
    ['["push",["remap",0,[],[],[["pipeline",0,["administer"],[["pipeline",-1]]]]]]', '["pull",1]'],
  ],
  ['a bomb of levels', [`["push",${'['.repeat(5_000)}${']'.repeat(5_000)}]`]],
  ['a huge number', [`["push",["bigint","${'9'.repeat(100_000)}"]]`, '["pull",1]']],
];

it.each(hostile)('a hostile peer sends %s: it gets nothing, and nobody else notices', async (_title, lines) => {
  broker = await openRunningBroker([thread]);
  const check = await openBystander('thread');
  const socket = connectSocket(broker.endpoint.slice('unix:'.length));
  const received: string[] = [];
  socket.on('error', () => {});
  const over = new Promise((resolve) => {
    socket.on('close', resolve);
    socket.on('data', (chunk) => {
      received.push(String(chunk));
      if (received.join('').includes('UNAUTHENTICATED')) resolve(undefined);
    });
  });
  for (const line of lines) socket.write(`${line}\n`);
  await check();
  // The answer to a bad token shows that all before it was handled, unless the session is over by then.
  for (const push of [2, 3])
    socket.write(`["push",["pipeline",0,["authenticate"],["bad"]]]\n["pull",${push}]\n["pull",1]\n`);
  await over;
  expect(received.join('')).not.toMatch(/"resolve"|"export"/);
  expect(received.join('')).not.toMatch(/node:internal|\/src\/|at .*\.ts/);
  await check();
  expect(({} as Record<string, unknown>).admin).toBeUndefined();
  socket.destroy();
});

it('one account that uses up its leases, its turns and its calls leaves those of another alone', async () => {
  const limits = { leases: { ttlMs: 60_000, maxPerAccount: 5 }, bulkhead: { concurrent: 2, queued: 2 } };
  broker = await openRunningBroker([probe({ limits: { maxConcurrentCalls: 4 } }), thread], { limits });
  const check = await openBystander('thread');
  const greedy = await broker.client('greedy');
  const asked = await Promise.all(Array.from({ length: 20 }, () => greedy.acquire({ required: ['probe'] })));
  const refused = asked.filter(({ success }) => !success);
  expect(refused.length).toBeGreaterThanOrEqual(15);
  expect(new Set(refused.map((caps) => caps.errors.get('probe')?.split(':')[0]))).toEqual(
    new Set(['RESOURCE_EXHAUSTED']),
  );
  expect(broker.broker.leases.countOf('greedy')).toBeLessThanOrEqual(5);
  const held = asked.find(({ success }) => success);
  const calls = Array.from({ length: 10 }, () =>
    codeOf(() => held?.handles.get('probe')?.invoke('ignore', [], { timeoutMs: 1_000 })),
  );
  await check();
  // While they hang, another account is served by the same shard.
  const other = await (await broker.client('modest')).acquire({ required: ['probe', 'thread'] });
  expect(await other.get('probe').add?.(1, 2)).toBe(3);
  const outcomes = await Promise.all(calls);
  const count = (code: string): number => outcomes.filter((outcome) => outcome === code).length;
  expect([count('RESOURCE_EXHAUSTED'), count('TIMEOUT')]).toEqual([7, 3]);
});

it('a session that ends takes its leases with it, and its calls to hosts of other sessions go on', async () => {
  broker = await openRunningBroker([thread]);
  const check = await openBystander('thread');
  const { port1, port2 } = new MessageChannel();
  broker.servePort(port1);
  const leaver = await broker.client('leaver', port2);
  await leaver.acquire({ required: ['thread'] });
  expect(broker.broker.leases.countOf('leaver')).toBe(1);
  port2.close();
  await expect.poll(() => broker.broker.leases.countOf('leaver')).toBe(0);
  await check();
});

it('a ticket of another account is worth nothing, and one of its own nothing after the lease', async () => {
  broker = await openRunningBroker([probe()]);
  const caps = await (await broker.client('owner')).acquire({ required: ['probe'] });
  const address = broker.broker.pool.all()[0]?.directAddress ?? '';
  const session = connect<RpcTarget>(address);
  const gate = session.main as unknown as { redeem(ticket: string): PromiseLike<unknown> };
  const [lease] = broker.broker.leases.all();
  for (const ticket of ['', lease?.leaseId ?? '', 'x'.repeat(32)])
    expect(await codeOf(() => gate.redeem(ticket))).toBe('RELEASED');
  session.close();
  await caps.release();
});
