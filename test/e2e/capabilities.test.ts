/** The example app beside a broker of its own process, as a developer would start them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCapabilities } from '@switchyard/capabilities';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, DevProcess, exampleApp, isAlive, runSwitchyard, startDevProcess } from './dev-process.ts';

const example = exampleApp('capabilities');

/** The part of the inference worker that is called here. */
interface Inference {
  classifyText(model: string, text: string): PromiseLike<readonly { readonly label: string }[]>;
}

describe('the capabilities example', () => {
  let data: string;
  let broker: DevProcess;
  let dev: DevProcess;
  let environment: Readonly<Record<string, string>>;

  const serve = async (): Promise<DevProcess> => {
    const started = new DevProcess(['caps', 'serve', '--data-dir', data, '--account', 'contoso'], {});
    await started.line(/^SWITCHYARD_CAPABILITIES_TOKEN=/);
    return started;
  };
  const caps = (...words: readonly string[]): Promise<CommandResult> =>
    runSwitchyard(['caps', ...words, '--data-dir', data]);
  const order = async (path: string) => {
    const { status, text } = await dev.request(`/api/order/${path}`);
    return { status, body: JSON.parse(text || '{}') };
  };
  const instances = async (): Promise<readonly { readonly shard: string; readonly pid: number | null }[]> =>
    JSON.parse((await caps('stats', '--json')).output).instances;

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'switchyard-caps-e2e-'));
    broker = await serve();
    for (const name of ['pricing', 'ledger'])
      expect(await caps('add', join(example, 'capabilities', `${name}.json`))).toMatchObject({ code: 0 });
    const variables = broker.lines.filter((line) => line.startsWith('SWITCHYARD_CAPABILITIES_'));
    environment = Object.fromEntries(
      variables.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    dev = await startDevProcess({ apps: [example], flags: ['--no-azurite'], environment });
  });
  afterAll(async () => {
    await dev?.close();
    await broker?.close();
    await rm(data, { recursive: true, force: true });
  });

  it('composes a capability of each tier in one invocation', async () => {
    const { status, body } = await order('tea?count=3');
    expect(status).toBe(200);
    expect(body).toMatchObject({ number: 1, cents: 1_350, text: 'Order 1: 3 x tea for 1350 cents' });
    expect(body.shards).toEqual([
      expect.stringMatching(/^1 text:shard-0$/),
      expect.stringMatching(/^2 shop\.pricing:shard-0$/),
      expect.stringMatching(/^3 shop\.ledger:shard-[01]$/),
    ]);
    expect((await order('cake')).body).toMatchObject({ number: 2, text: 'Order 2: 1 x cake for 300 cents' });
  });

  it('offers the built-in capabilities of three tiers to whoever has a token', async () => {
    const client = createCapabilities({
      endpoint: () => environment.SWITCHYARD_CAPABILITIES_ENDPOINT ?? '',
      token: () => environment.SWITCHYARD_CAPABILITIES_TOKEN ?? '',
      now: () => Date.now(),
    });
    const listed = await client.list();
    const tierOf = (name: string) => listed.find((info) => info.name === name)?.tier;
    expect(['text', 'data.sql', 'crypto', 'ml.inference'].map(tierOf)).toEqual([1, 2, 2, 3]);
    const caps = await client.acquire({ required: ['text', 'data.sql', 'crypto', 'ml.inference'], timeout: 60_000 });
    expect([...caps.errors]).toEqual([]);
    expect(await caps.get('text').encode('hi', 'hex')).toBe('6869');
    const data = caps.get('data.sql');
    await data.execute('create table words (word text)');
    await data.execute('insert into words values (?)', ["it's"]);
    expect(await data.query('select word from words')).toEqual([{ word: "it's" }]);
    await caps.get('crypto').createKey('mine', 'hmac');
    expect(await caps.get('crypto').hmac('mine', 'x')).toHaveLength(32);
    const inference = caps.get<Inference>('ml.inference');
    const [guess] = await inference.classifyText('language', 'hello my friend, how are you today?');
    expect(guess?.label).toBe('en');
    await caps.release();
    client.close();
  });

  it('tells the function why a call failed, and gives every lease back', async () => {
    const answer = await dev.request('/api/order/diamonds');
    expect(answer.status).toBe(500);
    await dev.line(/'quote' of 'shop\.pricing' failed: nothing called 'diamonds' is sold here/);
    await expect.poll(async () => JSON.parse((await caps('stats', '--json')).output).leases).toBe(0);
  });

  it('a process that is killed is replaced, and another shard serves the account', async () => {
    const before = (await order('tea')).body;
    const ledger = (await instances()).find(({ shard }) => shard.startsWith('shop.ledger'));
    process.kill(ledger?.pid ?? 0, 'SIGKILL');
    await expect.poll(async () => (await instances()).some(({ pid }) => pid === ledger?.pid)).toBe(false);
    const after = (await order('tea')).body;
    expect(after.shards[2]).not.toBe(before.shards[2]);
    // The other shard has a database of its own.
    expect(after.number).toBe(1);
  });

  it('a new version is rolled out under the running app', async () => {
    expect((await caps('rollout', 'shop.pricing@1.0.0', '--weight', '0')).code).toBe(0);
    const refused = await order('tea');
    expect(refused.status).toBe(503);
    expect(refused.body.missing[0]).toContain('VERSION_MISMATCH');
    expect((await caps('rollout', 'shop.pricing@1.0.0', '--weight', '100')).code).toBe(0);
    expect((await order('tea')).status).toBe(200);
  });

  it('a broker that is killed takes its processes with it, and the app goes on with the next one', async () => {
    const pids = (await instances()).flatMap(({ pid }) => (pid === null ? [] : [pid]));
    expect(pids.length).toBeGreaterThan(0);
    broker.signal('SIGKILL');
    await broker.exited();
    await expect.poll(() => pids.some(isAlive)).toBe(false);
    expect((await dev.request('/api/order/tea')).status).toBe(500);
    broker = await serve();
    await expect.poll(async () => (await dev.request('/api/order/tea')).status).toBe(200);
    expect((await order('tea')).body.number).toBeGreaterThan(1);
  });
});
