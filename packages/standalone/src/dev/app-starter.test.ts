import { createDeferred, type Deferred } from '@switchyard/kernel';
import type { JobHostStatus } from '@switchyard/runtime';
import { describe, expect, it } from 'vitest';
import { createStatus } from '../testing/versions.ts';
import { AppStarter, type StartedApp } from './app-starter.ts';

function open() {
  const told: string[] = [];
  const keys = createDeferred<void>();
  let observe: (status: JobHostStatus) => void = () => {};
  const starter = new AppStarter({
    runtime: {
      watch(observer) {
        observe = observer;
        return () => {};
      },
    },
    output: {
      serving: (status, baseUrl) => told.push(`${status.applicationId} serves at ${baseUrl}`),
      failed: (error) => told.push(`failed: ${error.message}`),
    },
    keyFile: {
      async addFunctions(applicationId, names) {
        told.push(`keys for ${names.join()} of ${applicationId}`);
        await keys.promise;
      },
    },
    baseUrlOf: (applicationId) => `http://${applicationId}`,
  });
  return { starter, told, keys, observe: (status: JobHostStatus) => observe(status) };
}

/** An app whose start a test plays. */
function createApp(begins: Promise<void> = Promise.resolve()) {
  const observed: string[] = [];
  const settled: Deferred<void> = createDeferred();
  const app: StartedApp = {
    async begin() {
      await begins;
      return { settled: settled.promise };
    },
    observe: ({ key }) => observed.push(key),
  };
  return { app, settled, observed };
}

const statusOf = (applicationId: string, number = 1): JobHostStatus =>
  createStatus(['hello'], { applicationId, key: `${applicationId}:dev-${number}` });
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('AppStarter', () => {
  it('I1: tells why an app cannot begin, and brings the others up', async () => {
    const { starter, told } = open();
    const good = createApp();
    const starts = await starter.begin(
      new Map([
        ['odd', createApp(Promise.reject(new Error('no worker for it'))).app],
        ['shop', good.app],
      ]),
    );
    good.settled.resolve();
    await Promise.all(starts);
    expect([starts.length, told]).toEqual([1, ['failed: no worker for it']]);
    expect(starter.firstError?.message).toBe('no worker for it');
  });

  it('I1: tells why an app was turned away, once, and waits for no app longer than for its beginning', async () => {
    const { starter, told } = open();
    const { app, settled } = createApp();
    const starts = await starter.begin(new Map([['shop', app]]));
    expect(told).toEqual([]);
    settled.reject(new Error('its name is taken'));
    await Promise.all(starts);
    expect(told).toEqual(['failed: its name is taken']);
  });

  it('I2: lists an app once, however many versions come to serve', async () => {
    const { starter, told, keys } = open();
    keys.resolve();
    await Promise.all([starter.serving(statusOf('shop')), starter.serving(statusOf('shop'))]);
    await starter.serving(statusOf('shop', 2));
    await starter.serving(statusOf('blog'));
    expect(told.filter((line) => line.includes('serves'))).toEqual([
      'shop serves at http://shop',
      'blog serves at http://blog',
    ]);
  });

  it('I2: hands the states of JobHosts to their app', async () => {
    const { starter, observe } = open();
    const { app, observed } = createApp();
    await starter.begin(new Map([['shop', app]]));
    for (const applicationId of ['shop', 'stranger']) observe(statusOf(applicationId));
    expect(observed).toEqual(['shop:dev-1']);
  });

  it('I3: makes a key for every HTTP function before the app is listed', async () => {
    const { starter, told, keys } = open();
    const status = statusOf('shop');
    const timer = { name: 'tick', trigger: 'timerTrigger', disabled: false };
    const listed = starter.serving({ ...status, functions: [...status.functions, timer] });
    await settle();
    expect(told).toEqual(['keys for hello of shop']);
    keys.resolve();
    await listed;
    expect(told.at(-1)).toBe('shop serves at http://shop');
  });

  it('I1: tells that keys could not be made, and goes on', async () => {
    const { starter, told, keys } = open();
    keys.reject(new Error('the disk is full'));
    await starter.serving(statusOf('shop'));
    expect(told.at(-1)).toBe('failed: the disk is full');
  });
});
