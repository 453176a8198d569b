import type { IncomingMessage, ServerResponse } from 'node:http';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { ReturningApps } from './returning-apps.ts';

class Reply {
  destroyed = false;
  status = 0;
  readonly headers: Record<string, string> = {};
  writeHead(status: number, headers: Record<string, string>): void {
    this.status = status;
    Object.assign(this.headers, headers);
  }
  end(): void {}
}

async function open(text: string | undefined, { maxHeld = 10, write = (_text: string): void => {} } = {}) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const served: string[] = [];
  const memory = { read: async () => text, write };
  const hostNames = new Map([['shop', ['Shop.example.com']]]);
  const apps = await ReturningApps.open({ clock, log, memory, hostNames }, { graceMs: 1_000, maxHeld }, (request) =>
    served.push(request.url ?? ''),
  );
  const call = (host: string | undefined, url: string): Reply => {
    const reply = new Reply();
    apps.serve({ headers: { host }, url } as IncomingMessage, reply as unknown as ServerResponse);
    return reply;
  };
  return { clock, log, apps, served, call };
}

const remembered = JSON.stringify(['shop', 'blog']);

describe('ReturningApps', () => {
  it('I1, I2: requests for an app that was here wait until it is back, in order', async () => {
    const { apps, served, call } = await open(remembered);
    call('shop.localhost:7071', '/1');
    call('SHOP.example.com.', '/2');
    call('blog.localhost', '/3');
    expect(served).toEqual([]);
    apps.hosted('shop');
    expect(served).toEqual(['/1', '/2']);
    call('shop.localhost', '/4');
    expect(served).toEqual(['/1', '/2', '/4']);
  });

  it('I1: others do not wait, and nobody does after the grace', async () => {
    const { clock, served, call } = await open(remembered);
    for (const host of ['nobody.localhost', 'localhost', undefined]) call(host, String(host));
    expect(served).toEqual(['nobody.localhost', 'localhost', 'undefined']);
    await clock.advance(1_000);
    call('shop.localhost', '/late');
    expect(served.at(-1)).toBe('/late');
  });

  it('I1: no more wait than may', async () => {
    const { served, call } = await open(remembered, { maxHeld: 1 });
    call('shop.localhost', '/1');
    expect(call('shop.localhost', '/2')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(served).toEqual([]);
  });

  it('I2: whoever waited in vain is sent away, and whoever has left gets nothing', async () => {
    const { clock, apps, served, call } = await open(remembered);
    const waiting = call('shop.localhost', '/1');
    const left = call('shop.localhost', '/2');
    left.destroyed = true;
    await clock.advance(1_000);
    expect([waiting.status, left.status]).toEqual([503, 0]);
    apps.hosted('shop');
    expect(served).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I3: remembers names at once, each of them once', async () => {
    const written: string[] = [];
    const { apps } = await open(undefined, { write: (text) => void written.push(text) });
    apps.hosted('shop');
    apps.hosted('shop');
    apps.hosted('blog');
    expect(written).toEqual(['["shop"]', '["shop","blog"]']);
  });

  it.each(['{', '{"shop":1}', '[1,"__proto__","A B"]', 'null'])('I3: %s is no memory', async (text) => {
    const { served, call } = await open(text);
    call('shop.localhost', '/1');
    expect(served).toEqual(['/1']);
  });

  it('I3: tells when it cannot remember', async () => {
    const write = (): void => {
      throw new Error('disk full');
    };
    const { log, apps } = await open(undefined, { write });
    apps.hosted('shop');
    expect(log.records).toMatchObject([{ level: 'warning', fields: { applicationId: 'shop', reason: 'disk full' } }]);
  });
});
