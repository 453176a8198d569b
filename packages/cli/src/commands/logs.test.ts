import { createDeferred } from '@switchyard/kernel';
import type { LogLine } from '@switchyard/protocol/control-api';
import { afterEach, describe, expect, it } from 'vitest';
import { startCommand } from '../testing/run-control.ts';
import {
  CutConnection,
  openScriptedControl,
  problem,
  type ScriptedControl,
  untilClosed,
} from '../testing/scripted-control.ts';

let server: ScriptedControl | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

type Script = Parameters<typeof openScriptedControl>[0];

async function start(words: readonly string[], getLogs: NonNullable<Script['getLogs']>) {
  await server?.close();
  server = await openScriptedControl({ getLogs });
  return startCommand(['logs', ...words], { environment: server.environment });
}

const line = (second: number, message: string, more: Partial<LogLine> = {}) => ({
  name: 'line' as const,
  data: { at: `2026-11-21T08:00:0${second}.000Z`, level: 'information' as const, message, ...more },
});

describe('switchyard logs', () => {
  it('shows the lines that are kept as switchyard dev would', async () => {
    const { outcome } = await start(['shop'], () => ({
      kind: 'events',
      events: [
        line(1, 'hello', { category: 'Function.greet.User', functionName: 'greet', invocationId: 'i1', workerId: 'w' }),
        line(2, 'Worker started.', { category: 'Host', level: 'warning', workerId: 'w1' }),
      ],
    }));
    expect(await outcome).toEqual({
      exitCode: 0,
      out: '[2026-11-21T08:00:01.000Z] hello [greet i1]\n[2026-11-21T08:00:02.000Z] Worker started. workerId=w1\n',
      err: '',
    });
    expect(server?.requests[0]?.query).toEqual({});
  });

  it('writes JSON, and passes on what is wanted', async () => {
    const { outcome } = await start(['shop', '--json', '--tail', '5', '--level', 'warn'], () => ({
      kind: 'events',
      events: [line(1, 'hello')],
    }));
    expect(JSON.parse((await outcome).out)).toEqual(line(1, 'hello').data);
    expect(server?.requests[0]?.query).toEqual({ tail: '5', level: 'warning' });
  });

  it('says when the platform cannot go on, or breaks off', async () => {
    const failed = { code: 'LOGS_GONE', message: 'The logs are gone.', fix: '' };
    const first = await start(['shop'], () => ({
      kind: 'events',
      events: [line(1, 'a'), { name: 'failed', data: failed }],
    }));
    expect(await first.outcome).toMatchObject({ exitCode: 1, err: 'The logs are gone.\n' });
    const shown = createDeferred<void>();
    const second = await start(['shop'], () => ({
      kind: 'events',
      events: (async function* () {
        yield line(1, 'a');
        await shown.promise;
        throw new CutConnection();
      })(),
    }));
    await second.printed('] a');
    shown.resolve();
    expect(await second.outcome).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('ended before it was complete'),
    });
  });

  it.each([
    [['shop', '--level', 'loud'], "There is no level 'loud'. Choose one of: trace, debug, information"],
    [['shop', '--tail', '-1'], '--tail must be a whole number from 0 to 10000'],
  ])('refuses %j', async (words, message) => {
    const { outcome } = await start(words, () => problem(500, 'X', 'never asked'));
    expect(await outcome).toMatchObject({ exitCode: 2, err: expect.stringContaining(message) });
  });
});

describe('switchyard logs -f', () => {
  it('ends well at Ctrl-C', async () => {
    let left = false;
    const command = await start(['shop', '-f', '--tail', '1'], (request) => ({
      kind: 'events',
      events: (async function* () {
        yield line(1, 'first');
        await untilClosed(request);
        left = true;
      })(),
    }));
    await command.printed('first');
    command.stop();
    expect(await command.outcome).toEqual({ exitCode: 0, out: '[2026-11-21T08:00:01.000Z] first\n', err: '' });
    expect(server?.requests[0]?.query).toEqual({ follow: '', tail: '1' });
    await expect.poll(() => left).toBe(true);
  });

  it('ends well at Ctrl-C while it tries to connect again', async () => {
    const shown = createDeferred<void>();
    const command = await start(['shop', '-f'], () => ({
      kind: 'events',
      events: (async function* () {
        yield line(1, 'first');
        await shown.promise;
        throw new CutConnection();
      })(),
    }));
    await command.printed('first');
    shown.resolve();
    await command.printed('trying to get it back');
    command.stop();
    expect(await command.outcome).toMatchObject({ exitCode: 0 });
  });

  it('shows every line once across a lost connection', async () => {
    const shown = createDeferred<void>();
    const kept = [line(1, 'one'), line(2, 'two'), line(2, 'too'), line(3, 'three')];
    let connections = 0;
    const command = await start(['shop', '-f', '--tail', '2'], (request) => {
      connections += 1;
      const isFirst = connections === 1;
      const events = async function* () {
        yield* isFirst ? kept.slice(0, 2) : kept;
        if (isFirst) {
          await shown.promise;
          throw new CutConnection();
        }
        await untilClosed(request);
      };
      return { kind: 'events', events: events() };
    });
    await command.printed('two');
    shown.resolve();
    await command.printed('three');
    command.stop();
    const { out, err } = await command.outcome;
    expect(out.match(/\] (\w+)/g)).toEqual(['] one', '] two', '] too', '] three']);
    expect(err).toMatch(/^The connection was lost \(.*\); trying to get it back\.\n$/);
    // Lines of the time without a connection may be many: all that are kept are asked for.
    expect(server?.requests[1]?.query).toEqual({ follow: '' });
  });

  it('ends when the app is gone', async () => {
    let connections = 0;
    const { outcome } = await start(['shop', '-f'], () => {
      connections += 1;
      if (connections > 1) return problem(404, 'APP_UNKNOWN', "There is no app 'shop'.");
      return { kind: 'events', events: [line(1, 'first')] };
    });
    expect(await outcome).toMatchObject({ exitCode: 2, err: expect.stringContaining("There is no app 'shop'.") });
  });
});
