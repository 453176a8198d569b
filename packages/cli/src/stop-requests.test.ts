import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { StopRequests } from './stop-requests.ts';

function open() {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const stops = new StopRequests(clock, () => seen.push('now'));
  return { clock, seen, stops };
}

describe('StopRequests', () => {
  it('I1: tells every subscriber once, late ones too', () => {
    const { stops, seen } = open();
    stops.subscribe((reason) => seen.push(`early ${reason}`));
    stops.request('SIGINT');
    stops.subscribe((reason) => seen.push(`late ${reason}`));
    expect(seen).toEqual(['early SIGINT', 'late SIGINT']);
  });

  it('I2: takes what follows at once for an echo', async () => {
    const { clock, stops, seen } = open();
    stops.request('SIGINT');
    stops.request('SIGINT');
    await clock.advance(299);
    stops.request('SIGTERM');
    expect(seen).toEqual([]);
  });

  it('I3: stops at once at the second request, and once only', async () => {
    const { clock, stops, seen } = open();
    stops.request('SIGINT');
    await clock.advance(300);
    stops.request('SIGINT');
    await clock.advance(1_000);
    stops.request('SIGINT');
    expect(seen).toEqual(['now']);
  });
});
