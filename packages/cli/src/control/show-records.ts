/** What `get` shows: one line per record, with the columns that people look for. */
import type { Collection } from '@switchyard/protocol/control-api';
import { toCell, toTable } from './table.ts';

type RecordFields = Readonly<Record<string, unknown>>;

/** A title, and the field it shows; a dot leads into a field. */
type Column = readonly [title: string, field: string];

const columns: Readonly<Record<Collection, readonly Column[]>> = {
  environments: [
    ['ENVIRONMENT', 'environmentId'],
    ['TENANT', 'tenantId'],
    ['STAGE', 'stage'],
    ['STATUS', 'status'],
    ['DESIRED STATE', 'desiredState.kind'],
    ['REMEDIATION', 'remediation'],
  ],
  tenants: [
    ['ENVIRONMENT', 'environmentId'],
    ['TENANT', 'tenantId'],
    ['ISOLATION', 'isolationModel'],
    ['SERVICES', 'quota.maxServices'],
    ['REPLICAS', 'quota.maxReplicas'],
  ],
  services: [
    ['SERVICE', 'serviceId'],
    ['TARGET', 'computeTarget'],
    ['VERSION', 'version'],
    ['STATUS', 'status'],
    ['REPLICAS', 'replicas'],
    ['MANAGED', 'managed'],
  ],
  specifications: [
    ['SERVICE', 'serviceId'],
    ['TARGET', 'computeTarget'],
    ['VERSION', 'version'],
    ['STRATEGY', 'strategy.kind'],
    ['CONFIGURATION', 'configurationId'],
    ['FROM', 'origin'],
  ],
  deployments: [
    ['DEPLOYMENT', 'deploymentId'],
    ['SERVICE', 'serviceId'],
    ['VERSION', 'version'],
    ['MODE', 'mode'],
    ['STATE', 'state'],
    ['BY', 'createdBy'],
    ['REASON', 'reason'],
  ],
  configurations: [
    ['CONFIGURATION', 'configurationId'],
    ['VERSION', 'version'],
    ['SERVICES', 'serviceIds'],
    ['BY', 'publishedBy'],
  ],
  'configuration-syncs': [
    ['CONFIGURATION', 'configurationId'],
    ['SERVICE', 'serviceId'],
    ['VERSION', 'version'],
    ['MODE', 'mode'],
    ['FAILURE', 'failure'],
  ],
  'settings-requests': [
    ['REQUEST', 'requestId'],
    ['SERVICE', 'serviceId'],
    ['SET', 'set'],
    ['REMOVE', 'remove'],
    ['STATE', 'state'],
    ['MODE', 'mode'],
    ['BY', 'createdBy'],
    ['REASON', 'reason'],
  ],
  'secret-bindings': [
    ['SECRET', 'secretBindingId'],
    ['SETTING', 'settingName'],
    ['KIND', 'target.kind'],
    ['SERVICES', 'serviceIds'],
  ],
  'secret-rotations': [
    ['SECRET', 'secretBindingId'],
    ['VERSION', 'version'],
    ['STATE', 'state'],
    ['FAILURES', 'failures'],
    ['REASON', 'reason'],
  ],
  'scaling-policies': [
    ['SERVICE', 'serviceId'],
    ['MINIMUM', 'minReplicas'],
    ['MAXIMUM', 'maxReplicas'],
  ],
  'scaling-states': [
    ['SERVICE', 'serviceId'],
    ['REPLICAS', 'replicas'],
    ['REASON', 'reason'],
  ],
  health: [
    ['SERVICE', 'serviceId'],
    ['STATUS', 'status'],
    ['FAILURES', 'failures'],
  ],
  alerts: [
    ['ALERT', 'alertId'],
    ['STATE', 'state'],
    ['MESSAGE', 'message'],
  ],
  findings: [
    ['FINDING', 'findingId'],
    ['KIND', 'kind'],
    ['SEVERITY', 'severity'],
    ['STATE', 'state'],
    ['DESIRED', 'desired'],
    ['ACTUAL', 'actual'],
  ],
};

export function describeRecords(collection: Collection, records: readonly RecordFields[]): string {
  if (records.length === 0) return `There is nothing among the ${collection}.\n`;
  const wanted = columns[collection];
  return toTable(
    wanted.map(([title]) => title),
    records.map((record) => wanted.map(([, field]) => toText(fieldOf(record, field)))),
  );
}

function fieldOf(record: RecordFields, field: string): unknown {
  let value: unknown = record;
  for (const name of field.split('.')) {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
    value = isObject ? (value as RecordFields)[name] : undefined;
  }
  return value;
}

function toText(value: unknown): string | number {
  if (typeof value === 'number') return value;
  if (value === undefined || value === '') return '-';
  if (Array.isArray(value)) return toCell(value.join(' ')) || '-';
  return toCell(String(value));
}
