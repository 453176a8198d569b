import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { createFleetApp, createVersion, type FleetApp } from './fleet-app.ts';
import { FleetGateway } from './fleet-gateway.ts';
import type { FleetMember } from './fleet-places.ts';
import { createMember, FakeHost, sampleApplication } from './testing/fake-host.ts';

const servers: Server[] = [];
const agent = new Agent();
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<URL> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

async function open(options = { holdMs: 30_000, maxHeld: 2 }) {
  const clock = new VirtualClock();
  const app: FleetApp = createFleetApp('shop');
  app.versions.set('shop:m1:c1', createVersion(sampleApplication()));
  const apps = new Map([['shop', app]]);
  let serving: readonly FleetMember[] = [];
  const urls = new Map<string, URL>();
  for (const id of ['r2', 'r3']) urls.set(id, await serve((_request, response) => void response.end(id)));
  const gateway = new FleetGateway(
    {
      clock,
      fleet: {
        get apps() {
          return [...apps.values()];
        },
        app: (id) => apps.get(id),
        servingOf: () => serving,
      },
      local: (_request, response) => void response.end('local'),
      targetOf: (runtimeId) => {
        const url = urls.get(runtimeId);
        return url && { runtimeId, url, agent, key: 'k' };
      },
    },
    options,
  );
  const url = await serve((request, response) => gateway.handle(request, response));
  const call = async (host = 'shop.localhost', headers: Record<string, string> = {}) => {
    const { request } = await import('node:http');
    return await new Promise<string>((resolve, reject) => {
      const outgoing = request({ host: url.hostname, port: url.port, headers: { host, ...headers } }, (answer) => {
        answer.setEncoding('utf8');
        let text = `${answer.statusCode} `;
        answer.on('data', (chunk) => {
          text += chunk;
        });
        answer.on('end', () => resolve(text));
      });
      outgoing.on('error', reject).end();
    });
  };
  const placed = (...members: readonly FleetMember[]): void => {
    serving = members;
    gateway.look();
  };
  return { clock, gateway, app, apps, urls, call, placed };
}

/** A Runtime with so many ready workers of the app. */
async function ready(runtimeId: string, workers: number): Promise<FleetMember> {
  const host = new FakeHost();
  await host.addApplication(sampleApplication());
  host.workers.set('shop:m1:c1', workers);
  return createMember(runtimeId, host);
}

describe('FleetGateway', () => {
  it('I1: an app is found by each of its names, and served where it is', async () => {
    const { call, placed, urls } = await open();
    placed(await ready('local', 1));
    expect(await Promise.all([call(), call('WWW.shop.example:80'), call('nobody.localhost')])).toEqual([
      '200 local',
      '200 local',
      '200 local',
    ]);
    placed(await ready('r2', 1));
    expect([await call(), await call('nobody.localhost')]).toEqual(['200 r2', '200 local']);
    // A Runtime without a connection is passed over, and one with workers is asked first.
    placed(await ready('local', 0), await ready('r2', 2));
    expect(await call()).toBe('200 r2');
    urls.set('r2', new URL('http://127.0.0.1:1'));
    expect(await call()).toBe('200 local');
  });

  it('I2: requests wait while nobody serves their app, and go on in their order', async () => {
    const { clock, call, placed } = await open();
    placed();
    const first = call();
    const second = call();
    await expect.poll(() => clock.pendingTimers).toBe(2);
    expect(await call()).toMatch(/^503 FLEET_NO_RUNTIME: .*2 requests wait/);
    placed(await ready('r3', 1));
    expect([await first, await second, clock.pendingTimers]).toEqual(['200 r3', '200 r3', 0]);
  });

  it('I2: nobody waits for longer than that', async () => {
    const { clock, gateway, apps, call, placed } = await open();
    placed();
    const waiting = call();
    await expect.poll(() => clock.pendingTimers).toBe(1);
    await clock.advance(30_000);
    expect(await waiting).toMatch(/^503 FLEET_NO_RUNTIME/);
    const last = call();
    await expect.poll(() => clock.pendingTimers).toBe(1);
    gateway.close();
    expect(await last).toMatch(/^503 .*the installation ends/);
    const removed = call();
    await expect.poll(() => clock.pendingTimers).toBe(1);
    apps.clear();
    gateway.look();
    expect(await removed).toBe('200 local');
  });

  it('I3: a caller with sticky traffic stays where it was, and others are spread', async () => {
    const { app, call, placed } = await open();
    app.traffic = { shares: [], options: { stickyBy: { header: 'x-user' } } };
    const [second, third] = [await ready('r2', 1), await ready('r3', 1)];
    placed(second, third);
    const users = Array.from({ length: 12 }, (_, index) => `user-${index}`);
    const round = () => Promise.all(users.map((user) => call('shop.localhost', { 'x-user': user })));
    const before = await round();
    expect(new Set(before)).toEqual(new Set(['200 r2', '200 r3']));
    placed(third, second);
    expect(await round()).toEqual(before);
    placed(third);
    const after = await round();
    expect(after.filter((one, index) => before[index] === '200 r3' && one !== '200 r3')).toEqual([]);
  });
});
