/** The example app beside a broker of its own process, as a developer would start them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, DevProcess, exampleApp, isAlive, runSwitchyard, startDevProcess } from './dev-process.ts';

const example = exampleApp('capabilities');

describe('the capabilities example', () => {
  let data: string;
  let broker: DevProcess;
  let dev: DevProcess;

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
    const environment = Object.fromEntries(
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

  it('tells the function why a call failed, and gives every lease back', async () => {
    const answer = await dev.request('/api/order/diamonds');
    expect(answer.status).toBe(500);
    expect(dev.output).toContain("'quote' of 'shop.pricing' failed: nothing called 'diamonds' is sold here");
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
