import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { TriggerEvent } from '../contract.ts';
import { createContext } from '../testing/scope.ts';
import { createScriptedInvoke, succeeded } from '../testing/scripted-invoke.ts';
import { textData } from '../typed-data.ts';
import { fenceInvocations } from './fence.ts';

const event: TriggerEvent = { data: textData('a'), metadata: new Map(), reason: 'because' };

function fenced(lock: { isHeld: boolean; lost: AbortSignal }) {
  const scripted = createScriptedInvoke();
  const context = createContext({ clock: new VirtualClock(), random: createSeededRandom(1) });
  return { scripted, invoke: fenceInvocations({ ...context, invoke: scripted.invoke }, lock).invoke };
}

describe('fenceInvocations', () => {
  it('runs nothing once the lock is not held', async () => {
    const { scripted, invoke } = fenced({ isHeld: false, lost: new AbortController().signal });
    expect(await invoke(event)).toMatchObject({ kind: 'lost', reason: 'stopping' });
    expect(scripted.calls).toEqual([]);
  });

  it('cancels what runs when the lock is lost', async () => {
    const lost = new AbortController();
    const { scripted, invoke } = fenced({ isHeld: true, lost: lost.signal });
    const outcome = invoke(event);
    const [call] = scripted.calls;
    expect(call?.event).toMatchObject({ reason: 'because', signal: { aborted: false } });
    lost.abort();
    expect(call?.event.signal?.aborted).toBe(true);
    call?.answer.resolve(succeeded());
    expect(await outcome).toEqual(succeeded());
  });

  it('keeps the signal of the event itself', () => {
    const own = new AbortController();
    const { scripted, invoke } = fenced({ isHeld: true, lost: new AbortController().signal });
    void invoke({ ...event, signal: own.signal });
    own.abort();
    expect(scripted.calls[0]?.event.signal?.aborted).toBe(true);
  });
});
