import { VirtualClock } from '@switchyard/testkit';
import { describeDriverContract } from '../../testing/driver-contract.ts';
import { sampleSpec } from '../../testing/sample-spec.ts';
import { MockDriver, MockEngine } from './mock-driver.ts';

describeDriverContract('MockDriver', async () => {
  const clock = new VirtualClock();
  const engine = new MockEngine(clock);
  return {
    openDriver: () => new MockDriver(engine),
    spec: async (taskId) => sampleSpec(taskId, 'docker.io/library/busybox:latest', '/nowhere'),
    commands: {
      echo: (text) => ['echo', text],
      complain: (text) => ['complain', text],
      cat: ['cat'],
      printEnvironment: ['env'],
      spam: (bytes) => ['spam', String(bytes)],
      sleep: (seconds, exitCode) => ['sleep', String(seconds), String(exitCode)],
      stubborn: ['stubborn'],
      eat: ['eat'],
      missing: ['no-such-program'],
    },
    passTime: (delayMs) => clock.advance(delayMs),
    close: async () => {},
  };
});
