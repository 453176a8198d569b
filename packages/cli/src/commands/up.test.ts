import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../testing/run-control.ts';

describe('switchyard up', () => {
  it.each([
    ['--worker-image node=worker', 'neither --worker-agent nor --worker-kubernetes'],
    ['--worker-agent http://127.0.0.1:9000', 'no --worker-image'],
    ['--worker-agent http://127.0.0.1:9000 --worker-image node=worker --worker-limits cpu=0', 'no part of a processor'],
    [
      '--worker-agent http://127.0.0.1:9000 --worker-image node=worker --worker-limits cpu=2G',
      'no part of a processor',
    ],
    [
      '--worker-agent http://127.0.0.1:9000 --worker-image node=worker --worker-limits memory=5k',
      'no memory for a worker',
    ],
    ['--worker-agent nowhere --worker-image node=worker', "'nowhere' is no address"],
    ['--worker-agent file:///x --worker-image node=worker', 'is no address'],
    ['--worker-agent http://127.0.0.1:9000 --worker-image worker', "'worker' is not STACK=IMAGE"],
    ['--worker-kubernetes shops', 'no --worker-image'],
    ['--worker-kubernetes shops --worker-agent http://127.0.0.1:9000', 'exclude each other'],
    ['--worker-kubernetes Shops --worker-image node=worker', "'Shops', which --worker-kubernetes names"],
    ['--worker-kubernetes shops --worker-image node=worker --worker-limits cpu=lots', "'cpu=lots' in --worker-limits"],
  ])('refuses %s', async (flags, message) => {
    const { exitCode, err } = await runCommandLine(['up', ...flags.split(' ')], { environment: {} });
    expect(exitCode).toBe(2);
    expect(err).toContain(message);
  });
});
