import { EventEmitter } from 'node:events';
import type { ClientRequest } from 'node:http';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { defaultForwardLimits } from './forward-limits.ts';
import { WorkerConnector } from './worker-connector.ts';

/** A request as far as a connector sees it. */
class FakeRequest extends EventEmitter {
  destroyed = false;
  readonly socket = Object.assign(new EventEmitter(), { connecting: true });

  /** The connection is under way, and TLS will follow. */
  dialSecurely(): void {
    this.emit('socket', Object.assign(this.socket, { secureConnecting: true }));
  }

  /** The connection is under way. */
  dial(connecting = true): void {
    this.socket.connecting = connecting;
    this.emit('socket', this.socket);
  }

  destroy(): void {
    this.destroyed = true;
  }
}

function createRun() {
  const clock = new VirtualClock();
  const requests: FakeRequest[] = [];
  const heard: unknown[] = [];
  const connector = new WorkerConnector(
    {
      clock,
      limits: defaultForwardLimits,
      open: () => {
        const request = new FakeRequest();
        requests.push(request);
        return request as unknown as ClientRequest;
      },
    },
    {
      connected: (request) => heard.push(['connected', requests.indexOf(request as unknown as FakeRequest)]),
      failed: (reason) => heard.push(['failed', reason.message]),
    },
  );
  const refuse = (): void => {
    requests.at(-1)?.emit('error', new Error('refused'));
  };
  return { clock, requests, heard, connector, refuse };
}

describe('WorkerConnector', () => {
  test('I1: reports a connection when it stands, new or kept from before', () => {
    const fresh = createRun();
    fresh.connector.start();
    fresh.requests[0]?.dial();
    expect(fresh.heard).toEqual([]);
    fresh.requests[0]?.socket.emit('connect');
    expect(fresh.heard).toEqual([['connected', 0]]);
    const kept = createRun();
    kept.connector.start();
    kept.requests[0]?.dial(false);
    expect(kept.heard).toEqual([['connected', 0]]);
  });

  test('I1: says no more after that, whatever happens to the request', () => {
    const { connector, requests, heard, refuse, clock } = createRun();
    connector.start();
    requests[0]?.dial(false);
    refuse();
    expect([heard, clock.pendingTimers]).toEqual([[['connected', 0]], 0]);
  });

  test('I4: waits for TLS, and takes its refusal for a connection that did not come about', async () => {
    const { connector, requests, heard, refuse, clock } = createRun();
    connector.start();
    requests[0]?.dialSecurely();
    requests[0]?.socket.emit('connect');
    expect(heard).toEqual([]);
    refuse();
    await clock.advance(50);
    requests[1]?.dialSecurely();
    requests[1]?.socket.emit('connect');
    requests[1]?.socket.emit('secureConnect');
    expect(heard).toEqual([['connected', 1]]);
  });

  test('I2: tries ten times, with pauses that grow from 50 to 250 ms', async () => {
    const { connector, requests, heard, refuse, clock } = createRun();
    connector.start();
    const pauses: number[] = [];
    while (heard.length === 0) {
      refuse();
      const startedMs = clock.monotonic();
      const tries = requests.length;
      while (heard.length === 0 && requests.length === tries) await clock.advance(10);
      if (heard.length === 0) pauses.push(clock.monotonic() - startedMs);
    }
    expect(pauses).toEqual([50, 100, 200, 250, 250, 250, 250, 250, 250]);
    expect([requests.length, heard, clock.pendingTimers]).toEqual([10, [['failed', 'refused']], 0]);
  });

  test('I2: a later try that connects is as good as the first', async () => {
    const { connector, requests, heard, refuse, clock } = createRun();
    connector.start();
    refuse();
    await clock.advance(50);
    requests[1]?.dial();
    requests[0]?.dial(false);
    requests[1]?.socket.emit('connect');
    expect(heard).toEqual([['connected', 1]]);
  });

  test('I3: stopped while it connects or pauses, it leaves nothing', async () => {
    const connecting = createRun();
    connecting.connector.start();
    connecting.connector.stop();
    connecting.requests[0]?.dial(false);
    connecting.refuse();
    expect([connecting.requests[0]?.destroyed, connecting.heard]).toEqual([true, []]);
    const pausing = createRun();
    pausing.connector.start();
    pausing.refuse();
    pausing.connector.stop();
    pausing.connector.stop();
    await pausing.clock.advance(1_000);
    expect([pausing.requests.length, pausing.clock.pendingTimers, pausing.heard]).toEqual([1, 0, []]);
  });
});
