import { grpcStatus, type Link } from '@switchyard/protocol';
import { createFakeWorker, createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { SidecarRun, type SidecarRunOptions, sampleAssignment } from '../testing/sidecar-run.ts';
import type { CallRuntime } from './sidecar-contract.ts';

function createSidecarRun(options: SidecarRunOptions<object> = {}) {
  const clock = new VirtualClock();
  const playWorker = (link: Link) => createFakeWorker(link, { workerId: 'w1', functions: [{ name: 'hello' }] });
  return new SidecarRun({ clock, log: createMemoryLog(clock), random: createSeededRandom(1), playWorker }, options);
}

it('hands calls beside the stream to the Runtime that has taken the worker, and to none before', async () => {
  const { signal } = new AbortController();
  const call = { path: '/Settlement/Complete', request: Buffer.from('lock'), signal };
  const heard: unknown[] = [];
  const callRuntime: CallRuntime = async ({ path }, { workerId, assignment: { runtimeEndpoint, application } }) => {
    heard.push([path, workerId, runtimeEndpoint, application.applicationId]);
    return Buffer.from('settled');
  };
  const run = createSidecarRun({ deps: { callRuntime } });
  await run.warm();
  expect(await run.sidecar.callRuntime(call)).toMatchObject({ code: grpcStatus.failedPrecondition });
  await run.sidecar.index(sampleAssignment);
  expect(await run.sidecar.callRuntime(call)).toMatchObject({ code: grpcStatus.failedPrecondition });
  await run.sidecar.assign(sampleAssignment);
  expect(await run.sidecar.callRuntime(call)).toEqual(Buffer.from('settled'));
  // What has begun may end.
  void run.sidecar.drain(10_000);
  expect(await run.sidecar.callRuntime(call)).toEqual(Buffer.from('settled'));
  expect(heard).toEqual(new Array(2).fill(['/Settlement/Complete', 'w1', 'http://runtime:50051', 'shop']));
  const deaf = createSidecarRun();
  await deaf.serve();
  expect(await deaf.sidecar.callRuntime(call)).toMatchObject({ code: grpcStatus.unimplemented });
});
