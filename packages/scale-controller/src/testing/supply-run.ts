import type { Clock, Log, Meter, Random } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import type { AssignmentSource, SupplyEvent, SupplyRequest } from '@switchyard/protocol';
import { createPooledSupply, type PooledSupplyOptions } from '../pooled-supply.ts';
import { FakeProvider, nodeStack } from './fake-provider.ts';

export const shop: ApplicationDefinition = { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' };

export function wish(count: number, more: Partial<SupplyRequest> = {}): SupplyRequest {
  return { application: shop, count, urgency: 'normal', reason: 'activate', ...more };
}

export interface SupplyRunOptions extends PooledSupplyOptions {
  readonly assignmentOf?: AssignmentSource['assignmentOf'];
  readonly tokenOf?: NonNullable<AssignmentSource['tokenOf']>;
}

/** What a test stands on. */
export interface SupplyKit<TestClock extends Clock, TestLog extends Log> {
  readonly clock: TestClock;
  readonly log: TestLog;
  readonly random: Random;
}

/** A pooled supply over fake pods; what it tells is in `events`. */
export function openSupplyRun<TestClock extends Clock, TestLog extends Log>(
  kit: SupplyKit<TestClock, TestLog>,
  options: SupplyRunOptions = {},
) {
  const provider = new FakeProvider();
  const counted: string[] = [];
  const observed: string[] = [];
  const meter: Meter = {
    count: (name, by = 1, labels = {}) => void counted.push(`${name} ${by} ${labels.stack}`),
    gauge: () => {},
    observe: (name, value, labels = {}) => void observed.push(`${name} ${value} ${labels.stack} ${labels.outcome}`),
  };
  const { tokenOf } = options;
  const assignments: AssignmentSource = {
    assignmentOf: options.assignmentOf ?? assignmentOf,
    ...(tokenOf === undefined ? {} : { tokenOf }),
  };
  const supply = createPooledSupply({ ...kit, provider, meter, assignments }, options);
  const events: SupplyEvent[] = [];
  supply.watch((event) => events.push(event));
  const { clock, log } = kit;
  return { clock, log, provider, counted, observed, supply, events, kinds: () => events.map(({ kind }) => kind) };
}

const assignmentOf: AssignmentSource['assignmentOf'] = async (application) => ({
  stack: nodeStack,
  assignment: {
    runtimeEndpoint: 'http://runtime:50051',
    application,
    tenantId: 'contoso',
    content: { kind: 'folder', scriptRoot: '/apps/shop' },
    environment: new Map(),
    token: undefined,
  },
});
