import { createMemoryLog } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { createSelfSigned } from '../../../../../protocol/src/testing/self-signed.ts';
import { type ArmRequest, ScriptedArm } from '../../testing/scripted-arm.ts';
import { openMonitor } from './open-monitor.ts';

const tls = createSelfSigned('monitor');
const minute = 60_000;
const nowMs = Date.UTC(2026, 0, 2, 12, 0, 0);

interface Point {
  readonly minutesAgo: number;
  readonly average?: number;
  readonly total?: number;
}

async function open(points: readonly Point[], replicas: number | undefined = 2) {
  const asked: ArmRequest[] = [];
  const log = createMemoryLog();
  const arm = new ScriptedArm(
    [
      (request) => {
        asked.push(request);
        const data = points.map(({ minutesAgo, ...values }) => ({
          ...{ timeStamp: new Date(nowMs - minutesAgo * minute).toISOString(), ...values },
        }));
        const name = request.query.get('metricnames') ?? '';
        const metric = { id: name, type: 'metric', name: { value: name }, unit: 'Count', timeseries: [{ data }] };
        const value = {
          starttime: '',
          endtime: '',
          interval: 'PT1M',
          namespace: 'x',
          resourceid: 'x',
          value: [metric],
        };
        return { status: 200, body: { values: [value] } };
      },
    ],
    tls,
  );
  const credential = { getToken: async () => ({ token: arm.token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
  const telemetries = await openMonitor(
    { access: { credential, ca: tls.certificate }, log, replicasOf: async () => replicas },
    {
      ...{ subscriptionId: 'sub', resourceGroup: 'shops', endpoint: await arm.listen(), namePrefix: 'acme-' },
      retryDelayMs: 1,
    },
  );
  const read = (target: string, metric: string) => telemetries.get(target)?.read('shop', metric, nowMs);
  return { arm, asked, log, read };
}

describe('openMonitor', () => {
  let bench: Awaited<ReturnType<typeof open>>;
  afterEach(() => bench.arm.close());

  it('I2: takes the latest average as it is, of the resource that the service is', async () => {
    bench = await open([{ minutesAgo: 3, average: 7 }, { minutesAgo: 2, average: 9 }, { minutesAgo: 1 }]);
    expect(await bench.read('container-apps', 'cpu')).toBe(9);
    const [{ path, query, body } = { path: '', query: new URLSearchParams(), body: undefined }] = bench.asked;
    expect(path).toBe('/subscriptions/sub/metrics:getBatch');
    expect([query.get('metricnames'), query.get('metricnamespace'), query.get('aggregation')]).toEqual([
      ...['UsageNanoCores', 'Microsoft.App/containerApps', 'Average'],
    ]);
    const id = '/subscriptions/sub/resourceGroups/shops/providers/Microsoft.App/containerApps/shop';
    expect(body).toEqual({ resourceids: [id] });
  });

  it('I2: divides a total by the replicas', async () => {
    bench = await open([{ minutesAgo: 1, total: 300 }]);
    expect(await bench.read('azure-functions', 'executions')).toBe(150);
    expect(JSON.stringify(bench.asked[0]?.body)).toContain('Microsoft.Web/sites/acme-shop');
    expect(await bench.read('app-service', 'cpu')).toBe(150);
  });

  it.each([
    ['nothing at all', []],
    ['nothing lately', [{ minutesAgo: 8, total: 300 }]],
  ])('I1: with %s there is no measurement', async (_, points) => {
    bench = await open(points);
    expect(await bench.read('container-apps', 'requests')).toBeUndefined();
  });

  it('I1: nobody knows a metric of another name, or of a service that is not counted', async () => {
    bench = await open([{ minutesAgo: 1, total: 300, average: 1 }], undefined);
    for (const name of ['active', 'toString']) expect(await bench.read('container-apps', name)).toBeUndefined();
    expect(bench.asked).toEqual([]);
  });

  it('I1: a monitor that does not answer holds what there is, and is told of', async () => {
    bench = await open([{ minutesAgo: 1, total: 300 }]);
    bench.arm.refusal = { status: 500, code: 'InternalServerError' };
    expect(await bench.read('container-apps', 'requests')).toBeUndefined();
    expect(bench.log.records).toMatchObject([{ message: 'Azure Monitor does not answer' }]);
  });

  it('is patient with a monitor that throttles', async () => {
    bench = await open([{ minutesAgo: 1, total: 300 }]);
    bench.arm.throttled = 2;
    expect(await bench.read('container-apps', 'requests')).toBe(150);
  });
});
