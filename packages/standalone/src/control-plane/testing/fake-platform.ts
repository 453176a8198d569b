/** A platform for tests: a real catalog in a folder of its own, and a Runtime that hosts whatever has traffic. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Catalog, createCatalog, type DeploymentRecord } from '@switchyard/control-plane';
import { silentLog, systemClock, systemRandom } from '@switchyard/kernel';
import { toCodeVersion } from '@switchyard/protocol/control-api';
import type { JobHostStatus } from '@switchyard/runtime';
import type { RunningVersion } from '../platform-port.ts';

export interface FakePlatform {
  readonly directory: string;
  readonly catalog: Catalog;
  /** Versions that do not come up. */
  readonly broken: Set<string>;
  readonly errors: Map<string, string>;
  /** The settings that the workers of an app have. */
  readonly running: Map<string, ReadonlyMap<string, string>>;
  readonly restarted: string[];
  readonly deployed: string[];
  deploy(record: DeploymentRecord): void;
  look(applicationId: string): Promise<void>;
  /** With `canReload`, the settings of an app change while its version stays. */
  canReload: boolean;
  servingOf(applicationId: string): RunningVersion | undefined;
  status(applicationId?: string): readonly JobHostStatus[];
  /** Makes an app with a stored version; answers its codeVersion. */
  upload(applicationId: string, digit: string, tenantId?: string): string;
  close(): void;
}

const stack = { runtime: 'node', version: '22', architecture: 'x64' };

export function openFakePlatform(): FakePlatform {
  const directory = mkdtempSync(join(tmpdir(), 'control-plane-'));
  const deps = { clock: systemClock, random: systemRandom, log: silentLog };
  const catalog = createCatalog(deps, {
    file: join(directory, 'catalog.sqlite'),
    keyFile: join(directory, 'catalog.key'),
  });
  const platform: FakePlatform = {
    ...{ directory, catalog, broken: new Set(), errors: new Map(), running: new Map(), restarted: [], deployed: [] },
    canReload: false,
    servingOf(applicationId) {
      const values = platform.running.get(applicationId);
      return values && { values, definition: platform.canReload ? catalog : values };
    },
    deploy({ deploymentId, applicationId, codeVersion }) {
      platform.deployed.push(codeVersion);
      if (platform.broken.has(codeVersion)) {
        const problem = { code: 'X', message: 'the worker does not start', fix: '' };
        catalog.versions.markFailed(applicationId, codeVersion, problem.message);
        catalog.deployments.advance(deploymentId, { name: 'failed', problem });
        return;
      }
      const indexed = { index: new Uint8Array(), hostJson: undefined, metadataVersion: 'm', settingsRevision: 0 };
      catalog.versions.markIndexed(applicationId, codeVersion, indexed);
      for (const name of ['indexed', 'starting', 'ready'] as const) catalog.deployments.advance(deploymentId, { name });
    },
    async look(applicationId) {
      const { values } = catalog.settings.get(applicationId);
      platform.running.set(applicationId, new Map([...values].map(([name, value]) => [name, value.reveal()])));
    },
    status: (wanted) =>
      catalog.applications.list().flatMap(({ applicationId }) => {
        if (wanted !== undefined && wanted !== applicationId) return [];
        const { weights } = catalog.traffic.get(applicationId);
        return weights.map(({ codeVersion, weight }) => toHost(applicationId, codeVersion, weight));
      }),
    upload(applicationId, digit, tenantId = 'acme') {
      const sha256 = digit.repeat(64);
      if (catalog.applications.get(applicationId) === undefined)
        catalog.applications.put({ applicationId, tenantId, stack });
      const message = 'uploaded';
      const outcome = catalog.deployments.create({ applicationId, sha256, message, promote: false, createdBy: 'ann' });
      if (outcome.kind === 'refused') throw outcome.error;
      return toCodeVersion(sha256);
    },
    close() {
      catalog.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return platform;
}

function toHost(applicationId: string, codeVersion: string, weight: number): JobHostStatus {
  const definition = { applicationId, metadataVersion: 'm', codeVersion: `${codeVersion}.s1` };
  const version = { definition, weight, state: 'active', workers: [] } as unknown as JobHostStatus['versions'][number];
  return {
    key: codeVersion,
    applicationId,
    state: 'active',
    functions: [],
    rejected: [],
    workers: [],
    versions: [version],
  };
}
