import { silentLog } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../limits.ts';
import { FakeSupply } from '../testing/fake-supply.ts';
import { sampleDefinition } from '../testing/sample-worker.ts';
import { type RegistryObserver, WorkerRegistry } from './worker-registry.ts';

const other = { applicationId: 'other', metadataVersion: '1', codeVersion: '1' };

function createRegistry() {
  const clock = new VirtualClock();
  const supply = new FakeSupply();
  const heard: string[] = [];
  const observer: RegistryObserver = {
    expected: ({ workerId }) => heard.push(`expected ${workerId}`),
    console: ({ workerId }, stream, line) => heard.push(`${stream} ${workerId} ${line}`),
    exited: ({ workerId }, { exitCode }) => heard.push(`exited ${workerId} ${exitCode}`),
    failed: ({ message }) => heard.push(`failed ${message}`),
    forgotten: ({ workerId }) => heard.push(`forgotten ${workerId}`),
  };
  const registry = new WorkerRegistry({ clock, log: silentLog, supply }, defaultLimits, observer);
  registry.open();
  return { clock, supply, heard, registry };
}

describe('WorkerRegistry', () => {
  test('I1: knows announced workers only, each once', () => {
    const { supply, registry } = createRegistry();
    expect(registry.find('w1')).toBeUndefined();
    supply.expect('w1', sampleDefinition);
    const worker = registry.find('w1');
    supply.expect('w1', other);
    expect(registry.find('w1')).toBe(worker);
    expect(worker?.jobHostKey).toBe('sample:1');
    expect(registry.ofJobHost('sample:1')).toEqual([worker]);
    expect(registry.ofJobHost('other:1')).toEqual([]);
  });

  test('I1: knows a worker that was introduced, as the one that was announced where it was', () => {
    const { supply, registry, heard } = createRegistry();
    const introduced = registry.introduce('w1', sampleDefinition);
    expect(registry.find('w1')).toBe(introduced);
    supply.expect('w1', sampleDefinition);
    expect(registry.introduce('w1', other)).toBe(introduced);
    expect(heard).toEqual(['expected w1']);
  });

  test('carries the news of the supply, and none of unknown workers', () => {
    const { supply, heard, registry } = createRegistry();
    supply.expect('w1', sampleDefinition);
    supply.emit({ kind: 'console', workerId: 'w1', stream: 'stderr', line: 'oops' });
    supply.emit({ kind: 'console', workerId: 'w1', stream: 'stdout', line: 'fine' });
    supply.emit({ kind: 'console', workerId: 'nobody', stream: 'stdout', line: 'x' });
    expect(registry.find('w1')?.stderrTail).toEqual(['oops']);
    supply.exit('nobody');
    supply.emit({ kind: 'failed', application: sampleDefinition, message: 'no node', retryInMs: 5 });
    supply.exit('w1', 3);
    expect(heard).toEqual(['expected w1', 'stderr w1 oops', 'stdout w1 fine', 'failed no node', 'exited w1 3']);
  });

  test('I2: forgets a worker whose process is gone at once', () => {
    const { clock, supply, registry } = createRegistry();
    supply.expect('w1', sampleDefinition);
    supply.exit('w1');
    expect(registry.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test('I2: forgets any other departed worker after five minutes', async () => {
    const { clock, supply, registry } = createRegistry();
    supply.expect('w1', sampleDefinition);
    registry.find('w1')?.transition({ kind: 'lost' });
    await clock.advance(299_999);
    expect(registry.size).toBe(1);
    await clock.advance(1);
    expect(registry.size).toBe(0);
  });

  test('I3: a worker that came back stays', async () => {
    const { clock, supply, registry } = createRegistry();
    supply.expect('w1', sampleDefinition);
    const worker = registry.find('w1');
    worker?.transition({ kind: 'lost' });
    await clock.advance(200_000);
    worker?.transition({ kind: 'initializing' });
    await clock.advance(1_000_000);
    expect(registry.find('w1')).toBe(worker);
  });

  test('I1, I2: is what the announcements and ends make of it', () => {
    const step = fc.record({ kind: fc.constantFrom('expect', 'exit'), id: fc.nat({ max: 5 }) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { supply, registry } = createRegistry();
        const model = new Set<number>();
        for (const { kind, id } of steps) {
          if (kind === 'expect') supply.expect(String(id), sampleDefinition);
          else supply.exit(String(id));
          if (kind === 'expect') model.add(id);
          else model.delete(id);
          expect(registry.size).toBe(model.size);
        }
      }),
    );
  });

  test('stops to follow the supply when it closes', () => {
    const { supply, registry } = createRegistry();
    registry.close();
    expect(supply.watchers).toBe(0);
  });
});
