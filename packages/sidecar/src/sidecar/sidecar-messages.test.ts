import type { Link } from '@switchyard/protocol';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeWorkerOptions,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { SidecarRun, type SidecarRunOptions, sampleAssignment } from '../testing/sidecar-run.ts';

type Worker = Partial<FakeWorkerOptions>;

function createSidecarRun(options: SidecarRunOptions<Worker> = {}) {
  const clock = new VirtualClock();
  const playWorker = (link: Link, more: Worker) =>
    createFakeWorker(link, { workerId: 'w1', functions: [{ name: 'hello' }], ...more });
  return new SidecarRun({ clock, log: createMemoryLog(clock), random: createSeededRandom(1), playWorker }, options);
}

describe('messages for the sidecar', () => {
  it('answers a restart that nobody can do', async () => {
    const run = createSidecarRun();
    const worker = await run.serve();
    const value = { reason: 'other arguments', newConfiguration: undefined };
    run.runtime.send({ $case: 'workerRestartRequest', value }, 'r1');
    await run.clock.settle();
    expect(run.runtime.messages.at(-1)).toMatchObject({
      requestId: 'r1',
      content: { $case: 'workerRestartResponse', value: { status: 1 } },
    });
    expect(worker.bodies('workerRestartRequest')).toEqual([]);
  });

  it('rewrites the address at which the worker takes HTTP, and closes the route at the end', async () => {
    const opened: string[] = [];
    const run = createSidecarRun({
      worker: { capabilities: { HttpUri: 'http://127.0.0.1:9999/' } },
      deps: {
        httpProxy: {
          open: (uri) => {
            opened.push(uri);
            return { uri: 'http://127.0.0.1:4000', token: 't0ken', close: () => opened.pop() };
          },
        },
      },
    });
    await run.serve();
    const { workerCapabilities } = run.runtime.connect;
    expect(opened).toEqual(['http://127.0.0.1:9999/']);
    expect(Object.fromEntries(workerCapabilities)).toMatchObject({
      HttpUri: 'http://127.0.0.1:4000',
      HttpUriToken: 't0ken',
    });
    await run.clock.runUntil(run.sidecar.drain(100));
    expect(opened).toEqual([]);
  });

  it('does not show a worker port to the outside when there is no proxy', async () => {
    const run = createSidecarRun({ worker: { capabilities: { HttpUri: 'http://127.0.0.1:9999/' } } });
    await run.warm();
    expect(await run.sidecar.assign(sampleAssignment)).toMatchObject({
      kind: 'failed',
      error: { code: 'SIDECAR_PROXY_UNAVAILABLE' },
    });
    expect(run.dialled).toEqual([]);
  });
});
