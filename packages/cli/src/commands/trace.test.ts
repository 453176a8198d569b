import { afterEach, describe, expect, it } from 'vitest';
import { startCommand } from '../testing/run-control.ts';
import {
  answer,
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

async function start(words: readonly string[], script: Script) {
  await server?.close();
  server = await openScriptedControl(script);
  return startCommand(words, { environment: server.environment });
}

const frames = [
  {
    name: 'frame' as const,
    data: {
      at: '2026-11-21T08:00:01.250Z',
      workerId: 'worker-1',
      direction: 'toWorker' as const,
      type: 'invocationRequest',
      id: 'i-1',
      sizeBytes: 4_210,
    },
  },
  { name: 'dropped' as const, data: { count: 3 } },
  {
    name: 'frame' as const,
    data: {
      at: '2026-11-21T08:00:01.300Z',
      workerId: 'worker-1',
      direction: 'toRuntime' as const,
      type: 'rpcLog',
      sizeBytes: 99,
    },
  },
];

describe('switchyard trace', () => {
  const live: NonNullable<Script['traceApplication']> = (request) => ({
    kind: 'events',
    events: (async function* () {
      yield* frames;
      await untilClosed(request);
    })(),
  });

  it('shows frames as they pass, until Ctrl-C', async () => {
    const command = await start(['trace', 'shop', '--worker', 'worker-1'], { traceApplication: live });
    await command.printed('rpcLog');
    command.stop();
    expect(await command.outcome).toEqual({
      exitCode: 0,
      out: [
        '08:00:01.250  -> worker-1  invocationRequest          4.2 kB  i-1',
        '08:00:01.300  <- worker-1  rpcLog                       99 B',
        '',
      ].join('\n'),
      err: '3 frames left out: they came faster than they could be shown.\n',
    });
    expect(server?.requests[0]?.query).toEqual({ worker: 'worker-1' });
  });

  it('writes JSON', async () => {
    const command = await start(['trace', 'shop', '--json'], { traceApplication: live });
    await command.printed('rpcLog');
    command.stop();
    const lines = (await command.outcome).out.trimEnd().split('\n');
    expect(lines.map((text) => JSON.parse(text))).toEqual([frames[0]?.data, frames[2]?.data]);
  });

  it('ends when the platform cannot go on', async () => {
    const data = { code: 'WORKER_UNKNOWN', message: 'Worker x is gone.', fix: 'Take another.' };
    const command = await start(['trace', 'shop'], {
      traceApplication: () => ({ kind: 'events', events: [{ name: 'failed', data }] }),
    });
    expect(await command.outcome).toMatchObject({ exitCode: 1, err: 'Worker x is gone. Take another.\n' });
  });

  it('reports what the platform complains of', async () => {
    const command = await start(['trace', 'shop'], {
      traceApplication: () => problem(403, 'SCOPE_MISSING', 'The token may not trace.', 'Ask for the scope debug.'),
    });
    expect(await command.outcome).toEqual({
      exitCode: 1,
      out: '',
      err: 'The token may not trace. Ask for the scope debug.\n',
    });
  });
});

describe('switchyard debug', () => {
  const inspector = { workerId: 'worker-1', inspectorUrl: 'ws://127.0.0.1:9229/6f1c' };

  it('prints the address of the inspector, and nothing else on stdout', async () => {
    const command = await start(['debug', 'shop', '--worker', 'worker-1'], {
      debugApplication: () => answer(inspector),
    });
    expect(await command.outcome).toEqual({
      exitCode: 0,
      out: 'ws://127.0.0.1:9229/6f1c\n',
      err: "The inspector of worker worker-1 listens. Attach an editor or 'node inspect' to it.\n",
    });
    expect(server?.requests[0]?.body).toEqual({ workerId: 'worker-1' });
  });

  it('writes JSON, and takes any worker', async () => {
    const command = await start(['debug', 'shop', '--json'], { debugApplication: () => answer(inspector) });
    const { out, err } = await command.outcome;
    expect({ out: JSON.parse(out), err }).toEqual({ out: inspector, err: '' });
    expect(server?.requests[0]?.body).toEqual({});
  });

  it('reports what the platform complains of', async () => {
    const command = await start(['debug', 'shop'], {
      debugApplication: () => problem(409, 'NO_WORKER', 'No worker runs.', 'Invoke the app first.'),
    });
    expect(await command.outcome).toMatchObject({ exitCode: 2, err: 'No worker runs. Invoke the app first.\n' });
  });

  it('stops at Ctrl-C, and says that it was not done', async () => {
    const command = await start(['debug', 'shop'], {
      debugApplication: async (request) => {
        await untilClosed(request);
        return answer(inspector);
      },
    });
    await expect.poll(() => server?.requests.length).toBe(1);
    command.stop();
    expect(await command.outcome).toMatchObject({ exitCode: 130, err: 'Stopped before it was done.\n' });
  });
});
