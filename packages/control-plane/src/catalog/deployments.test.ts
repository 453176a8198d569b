import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addApplication,
  addVersion,
  type CatalogRun,
  createCatalogRun,
  nodeStack,
  packageHash,
  written,
} from '../testing/catalog-run.ts';
import type { DeploymentRecord } from './contract.ts';
import { deploymentHistoryLimit, versionHistoryLimit } from './limits.ts';

let run: CatalogRun;
let clock: VirtualClock;
beforeEach(() => {
  clock = new VirtualClock();
  run = createCatalogRun({ clock, random: createSeededRandom(1) });
  addApplication(run.catalog);
});
afterEach(() => run.remove());

function deploy(more: { sha256?: string; promote?: boolean } = {}): DeploymentRecord {
  const request = { applicationId: 'shop', sha256: packageHash('a'), message: 'm', promote: true, createdBy: 'ann' };
  return written(run.catalog.deployments.create({ ...request, ...more }));
}

const names = ['stored', 'indexed', 'starting', 'ready', 'promoted', 'failed'] as const;

describe('deployments', () => {
  it('begin as stored, with a pending version', () => {
    const { deploymentId } = deploy();
    expect(run.catalog.deployments.get(deploymentId)).toEqual({
      deploymentId,
      applicationId: 'shop',
      codeVersion: 'a'.repeat(16),
      sha256: packageHash('a'),
      message: 'm',
      promote: true,
      createdBy: 'ann',
      createdAtMs: clock.now(),
      state: 'running',
      steps: [{ name: 'stored', atMs: clock.now() }],
    });
    expect(run.catalog.versions.get('shop', 'a'.repeat(16))?.status).toEqual({ kind: 'pending' });
    expect(run.catalog.deployments.unfinished()).toHaveLength(1);
  });

  it('I1, I2: steps only go on, and the end is the end', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...names)), fc.boolean(), (steps, promote) => {
        const { deploymentId } = deploy({ promote });
        const expected: string[] = ['stored'];
        const last = (): string => expected.at(-1) ?? '';
        const isOver = (): boolean => ['promoted', 'failed'].includes(last()) || (!promote && last() === 'ready');
        for (const name of steps) {
          const goesOn = !isOver() && names.indexOf(name) > names.indexOf(last() as 'stored');
          expect(run.catalog.deployments.advance(deploymentId, { name })).toBe(goesOn);
          if (goesOn) expected.push(name);
        }
        const found = run.catalog.deployments.get(deploymentId);
        expect(found?.steps.map((step) => step.name)).toEqual(expected);
        expect(found?.state).toBe(last() === 'failed' ? 'failed' : isOver() ? 'succeeded' : 'running');
      }),
      { numRuns: 40 },
    );
  });

  it('keep what was said with a step', () => {
    const { deploymentId } = deploy();
    const problem = { code: 'X', message: 'm', fix: 'f' };
    run.catalog.deployments.advance(deploymentId, { name: 'indexed', message: '2 functions' });
    run.catalog.deployments.advance(deploymentId, { name: 'failed', problem });
    const steps = run.reopen().deployments.get(deploymentId)?.steps.slice(1);
    expect(steps).toMatchObject([
      { name: 'indexed', message: '2 functions' },
      { name: 'failed', problem },
    ]);
  });

  it('I3: forget the oldest that have ended', () => {
    const running = deploy({ sha256: packageHash('f') });
    for (let count = 0; count < deploymentHistoryLimit + 3; count += 1) {
      run.catalog.deployments.advance(deploy().deploymentId, { name: 'failed' });
    }
    const found = run.catalog.deployments.list('shop');
    expect(found.filter(({ state }) => state === 'failed')).toHaveLength(deploymentHistoryLimit);
    expect(found.at(-1)?.deploymentId).toBe(running.deploymentId);
  });

  it('tell those who watch, also when the app goes', () => {
    const [one, other] = [deploy(), deploy()];
    let calls = 0;
    const end = run.catalog.deployments.watch(one.deploymentId, () => {
      calls += 1;
    });
    run.catalog.deployments.advance(one.deploymentId, { name: 'indexed' });
    run.catalog.deployments.advance(one.deploymentId, { name: 'indexed' });
    run.catalog.deployments.advance(other.deploymentId, { name: 'indexed' });
    expect(calls).toBe(1);
    run.catalog.applications.remove('shop');
    expect([calls, run.catalog.deployments.get(one.deploymentId)]).toEqual([2, undefined]);
    end();
  });

  it('refuse an app that there is not', () => {
    const outcome = run.catalog.deployments.create({
      applicationId: 'none',
      sha256: packageHash('a'),
      message: '',
      promote: true,
      createdBy: 'ann',
    });
    expect(outcome).toMatchObject({ kind: 'refused', error: { code: 'APPLICATION_UNKNOWN' } });
  });
});

describe('the version of a deployment', () => {
  it('stays indexed when the same package comes again, and is tried again when it failed', () => {
    const codeVersion = addVersion(run.catalog, 'a');
    deploy();
    expect(run.catalog.versions.get('shop', codeVersion)?.status.kind).toBe('indexed');
    deploy({ sha256: packageHash('b') });
    expect(run.catalog.versions.markFailed('shop', 'b'.repeat(16), 'no functions')).toBe(true);
    expect(run.catalog.versions.get('shop', 'b'.repeat(16))?.status).toEqual({
      kind: 'failed',
      reason: 'no functions',
    });
    deploy({ sha256: packageHash('b') });
    expect(run.catalog.versions.get('shop', 'b'.repeat(16))?.status).toEqual({ kind: 'pending' });
    expect(run.catalog.versions.list('shop').map((version) => version.codeVersion[0])).toEqual(['b', 'a']);
  });

  it('is indexed anew on another stack, unless it serves', () => {
    const codeVersion = addVersion(run.catalog, 'a');
    const request = { applicationId: 'shop', sha256: packageHash('a'), message: '', promote: true, createdBy: 'ann' };
    const stack = { ...nodeStack, version: '20' };
    written(run.catalog.deployments.create({ ...request, stack }));
    expect(run.catalog.versions.get('shop', codeVersion)).toMatchObject({ stack, status: { kind: 'pending' } });
    addVersion(run.catalog, 'a');
    written(run.catalog.traffic.set('shop', { weights: [{ codeVersion, weight: 100 }], reason: 'deployment' }));
    const outcome = run.catalog.deployments.create({ ...request, stack: { ...nodeStack, version: '18' } });
    expect(outcome).toMatchObject({ kind: 'refused', error: { code: 'VERSION_IN_USE' } });
    expect(run.catalog.versions.get('shop', codeVersion)?.status.kind).toBe('indexed');
  });

  it('is refused when another package has the same name', () => {
    addVersion(run.catalog, 'a');
    const sha256 = `${'a'.repeat(63)}b`;
    const outcome = run.catalog.deployments.create({
      ...{ applicationId: 'shop', sha256, message: '', promote: true, createdBy: 'ann' },
    });
    expect(outcome).toMatchObject({ kind: 'refused', error: { code: 'VERSION_COLLISION' } });
  });

  it('goes when it is old and has no traffic', () => {
    const serving = addVersion(run.catalog, 'a');
    const idle = addVersion(run.catalog, 'b');
    written(
      run.catalog.traffic.set('shop', { weights: [{ codeVersion: serving, weight: 100 }], reason: 'deployment' }),
    );
    for (let count = 0; count < versionHistoryLimit; count += 1) {
      deploy({ sha256: count.toString(16).padStart(4, '0').repeat(16) });
    }
    expect(run.catalog.versions.get('shop', serving)).toBeDefined();
    expect(run.catalog.versions.get('shop', idle)).toBeUndefined();
    expect(run.catalog.versions.list('shop')).toHaveLength(versionHistoryLimit + 1);
    expect(run.catalog.versions.referencedPackages().has(packageHash('a'))).toBe(true);
    expect(run.catalog.versions.referencedPackages().has(packageHash('b'))).toBe(false);
  });
});
