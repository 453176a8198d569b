import { VirtualClock } from '@switchyard/testkit';
import { describe } from 'vitest';
import { MemoryState } from './memory-state.ts';
import { describeState } from './state-contract.ts';

describe('MemoryState', () => {
  describeState(async () => {
    const clock = new VirtualClock();
    return { state: new MemoryState(() => clock.now()), advance: (ms) => clock.advance(ms) };
  });
});
