import {
  digestEnvironment,
  type FunctionEnvironmentReloadResponse,
  FunctionEnvironmentReloadResponse_CapabilitiesUpdateStrategy,
  StreamingMessage,
} from '@switchyard/protocol';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { parseCapabilities } from '../worker-registry/capabilities.ts';
import { Worker } from '../worker-registry/worker.ts';
import { updateEnvironments } from './environment-update.ts';
import { askForRestart } from './worker-restart.ts';

const application = { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' };
const able = { HandlesEnvironmentUpdate: 'true', ReadsSettingsAtUse: 'true' };
const variables = new Map([['COLOUR', 'blue']]);

function open(advertised: Readonly<Record<string, string>> = able) {
  const clock = new VirtualClock();
  const frames: StreamingMessage[] = [];
  const channel = {
    send: (frame: Uint8Array) => frames.push(StreamingMessage.decode(frame)) > 0,
    drained: () => Promise.resolve(),
    terminate: () => {},
    abort: () => {},
  };
  const worker = new Worker('w1', application, { inFlightCapacity: 1, stderrLines: 1, onTransition: () => {} });
  worker.sidecarEpoch = 1;
  worker.connect(channel);
  worker.describe({ capabilities: parseCapabilities(new Map(Object.entries(advertised))), metadata: undefined });
  worker.transition({ kind: 'loading' });
  const tell = (startingCount = 0) =>
    updateEnvironments(clock, { workers: [worker], startingCount }, variables, 10_000);
  return { clock, frames, worker, tell };
}

function toAnswer(environment: ReadonlyMap<string, string>, status: 0 | 1 = 1): FunctionEnvironmentReloadResponse {
  const digest = digestEnvironment('n', environment);
  return {
    result: { status, result: '', exception: undefined, logs: [] },
    capabilities: new Map(),
    capabilitiesUpdateStrategy: FunctionEnvironmentReloadResponse_CapabilitiesUpdateStrategy.replace,
    workerMetadata: {
      ...{ runtimeName: 'node', runtimeVersion: '24', workerVersion: '1', workerBitness: 'x64' },
      customProperties: new Map([['environmentDigest', digest]]),
    },
  };
}

describe('updateEnvironments', () => {
  it('I3: is done when the environment was read back, and a restart keeps it', async () => {
    const { clock, frames, worker, tell } = open();
    worker.transition({ kind: 'ready' });
    const told = tell();
    worker.update?.answer(toAnswer(variables));
    expect(await told).toEqual({ kind: 'updated' });
    expect(frames).toMatchObject([
      {
        content: {
          $case: 'functionEnvironmentReloadRequest',
          value: { environmentVariables: variables, functionAppDirectory: '' },
        },
      },
    ]);
    expect(clock.pendingTimers).toBe(0);
    void askForRestart(clock, worker, { reason: 'test' }, 1);
    expect(frames[1]).toMatchObject({
      content: { value: { newConfiguration: { environmentOverrides: variables } } },
    });
  });

  it.each([
    ['another environment', toAnswer(new Map([['COLOUR', 'red']]))],
    ['a failure', toAnswer(variables, 0)],
  ])('I3: is not done with %s', async (_, answer) => {
    const { worker, tell } = open();
    worker.transition({ kind: 'ready' });
    const told = tell();
    worker.update?.answer(answer);
    expect(await told).toMatchObject({ kind: 'unable' });
    expect([worker.update, worker.environment]).toEqual([undefined, undefined]);
  });

  it.each([
    ['says nothing of it', {}],
    [
      'keeps its functions, while its app does not say that it reads its settings',
      { HandlesEnvironmentUpdate: 'true' },
    ],
    ['would forget its functions', { ReadsSettingsAtUse: 'true' }],
  ])('I1: tells no worker that %s', async (_, advertised) => {
    const { frames, worker, tell } = open(advertised);
    worker.transition({ kind: 'ready' });
    expect([await tell(), frames]).toEqual([expect.objectContaining({ kind: 'unable' }), []]);
  });

  it('I1: leaves a version alone of which a worker is on its way, and lets those that leave be', async () => {
    const { frames, worker, tell } = open();
    expect(await tell()).toMatchObject({ kind: 'unable', reason: 'a worker is loading' });
    expect(await tell(1)).toMatchObject({ kind: 'unable', reason: 'a worker is starting' });
    worker.transition({ kind: 'draining' });
    expect([await tell(), frames]).toEqual([{ kind: 'updated' }, []]);
  });

  it('I2: no answer, and a stream that ends, settle it', async () => {
    const late = open();
    late.worker.transition({ kind: 'ready' });
    const told = late.tell();
    await late.clock.advance(10_000);
    expect(await told).toMatchObject({ kind: 'unable', reason: 'a worker gave no answer within 10000 ms' });
    const gone = open();
    gone.worker.transition({ kind: 'ready' });
    const lost = gone.tell();
    gone.worker.disconnect();
    expect(await lost).toMatchObject({ kind: 'unable' });
  });
});
