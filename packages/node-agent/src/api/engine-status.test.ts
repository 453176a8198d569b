import { VirtualClock } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { EngineStatus } from './engine-status.ts';
import { fingerprintMs } from './limits.ts';

it('I1: asks the engine again only after a while', async () => {
  const clock = new VirtualClock();
  let asked = 0;
  const fingerprint = async () => {
    asked += 1;
    return { available: true, version: String(asked), reason: null };
  };
  const status = new EngineStatus({ fingerprint }, clock);
  const answers = await Promise.all([status.read(), status.read(), status.read()]);
  expect(answers.map(({ version }) => version)).toEqual(['1', '1', '1']);
  await clock.advance(fingerprintMs - 1);
  expect((await status.read()).version).toBe('1');
  await clock.advance(1);
  expect((await status.read()).version).toBe('2');
});
