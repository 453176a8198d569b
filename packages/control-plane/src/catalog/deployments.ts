/**
 * Deployments and their steps.
 *
 * I1 Each step is recorded once, steps never go back, and a finished deployment never changes.
 * I2 A deployment ends with `promoted` or `failed`, or with `ready` when it is not to be promoted.
 * I3 Of each app the last ones are remembered; those that still run are never forgotten.
 */
import {
  type DeploymentState,
  type DeploymentStepName,
  deploymentStepNameSchema,
  toCodeVersion,
} from '@switchyard/protocol/control-api';
import { stackOf } from './applications.ts';
import { CatalogChanges } from './changes.ts';
import type { DeploymentRecord, DeploymentRequest, Deployments, StepRecord } from './contract.ts';
import { deploymentHistoryLimit } from './limits.ts';
import { integerOf, optionalTextOf, type Row, textOf } from './row.ts';
import { admitVersion } from './versions.ts';
import { type CatalogParts, refuse, write } from './writer.ts';

const order: readonly DeploymentStepName[] = deploymentStepNameSchema.options;

/** `announce` tells those who watch a deployment; the catalog calls it for deployments that go with their app. */
export interface DeploymentTable {
  readonly deployments: Deployments;
  readonly announce: (deploymentId: string) => void;
  readonly end: () => void;
}

export function createDeployments(
  parts: CatalogParts,
  log: ConstructorParameters<typeof CatalogChanges>[0],
): DeploymentTable {
  const { database } = parts;
  const watchers = new CatalogChanges(log);
  const read = (row: Row): DeploymentRecord => toRecord(parts, row);
  const get = (deploymentId: string): DeploymentRecord | undefined => {
    const row = database.get('SELECT * FROM deployments WHERE deployment_id = ?', deploymentId);
    return row && read(row);
  };
  const deployments: Deployments = {
    get,
    create: (request) =>
      write(parts, request.applicationId, () => ({ value: create(parts, request, get), changed: true })),
    list: (applicationId) =>
      database
        .all('SELECT * FROM deployments WHERE application_id = ? ORDER BY sequence DESC', applicationId)
        .map(read),
    unfinished: () =>
      database.all("SELECT * FROM deployments WHERE state = 'running' ORDER BY created_at_ms, sequence").map(read),
    advance(deploymentId, step) {
      const changed = database.transaction(() => advance(parts, get(deploymentId), step));
      if (changed) watchers.announce(deploymentId);
      return changed;
    },
    watch: (deploymentId, observer) =>
      watchers.watch((changedId) => {
        if (changedId === deploymentId) observer();
      }),
  };
  return { deployments, announce: (deploymentId) => watchers.announce(deploymentId), end: () => watchers.end() };
}

function create(
  parts: CatalogParts,
  request: DeploymentRequest,
  get: (deploymentId: string) => DeploymentRecord | undefined,
): DeploymentRecord {
  const { applicationId, sha256, message, promote, createdBy } = request;
  const { database } = parts;
  const application = database.get('SELECT * FROM applications WHERE application_id = ?', applicationId);
  if (application === undefined) refuse('APPLICATION_UNKNOWN', { applicationId });
  const nowMs = parts.clock.now();
  const stack = request.stack ?? stackOf(application);
  admitVersion(parts, { applicationId, sha256, message, stack, createdAtMs: nowMs });
  const deploymentId = parts.random.uuid();
  database.run(
    `INSERT INTO deployments (deployment_id, application_id, sequence, sha256, message, promote, created_by, created_at_ms,
       state)
     SELECT ?, ?, COALESCE(MAX(sequence), 0) + 1, ?, ?, ?, ?, ?, 'running' FROM deployments WHERE application_id = ?`,
    ...[deploymentId, applicationId, sha256, message, Number(promote), createdBy, nowMs, applicationId],
  );
  addStep(parts, deploymentId, { name: 'stored', atMs: nowMs }, 0);
  forgetOldest(parts, applicationId);
  return get(deploymentId) ?? refuse('DEPLOYMENT_UNKNOWN', { applicationId, deploymentId });
}

function advance(
  parts: CatalogParts,
  deployment: DeploymentRecord | undefined,
  step: Omit<StepRecord, 'atMs'>,
): boolean {
  if (deployment === undefined || deployment.state !== 'running') return false;
  const last = deployment.steps.at(-1);
  if (last !== undefined && order.indexOf(step.name) <= order.indexOf(last.name)) return false;
  addStep(parts, deployment.deploymentId, { ...step, atMs: parts.clock.now() }, deployment.steps.length);
  const state = stateAfter(step.name, deployment.promote);
  parts.database.run('UPDATE deployments SET state = ? WHERE deployment_id = ?', state, deployment.deploymentId);
  return true;
}

function stateAfter(step: DeploymentStepName, promote: boolean): DeploymentState {
  if (step === 'failed') return 'failed';
  return step === 'promoted' || (step === 'ready' && !promote) ? 'succeeded' : 'running';
}

function addStep({ database }: CatalogParts, deploymentId: string, step: StepRecord, position: number): void {
  const { name, atMs, message = null, problem } = step;
  const problemText = problem === undefined ? null : JSON.stringify(problem);
  database.run(
    'INSERT INTO deployment_steps (deployment_id, position, name, at_ms, message, problem) VALUES (?, ?, ?, ?, ?, ?)',
    ...[deploymentId, position, name, atMs, message, problemText],
  );
}

function forgetOldest({ database }: CatalogParts, applicationId: string): void {
  database.run(
    `DELETE FROM deployments WHERE application_id = ? AND state <> 'running' AND deployment_id NOT IN (
       SELECT deployment_id FROM deployments WHERE application_id = ? ORDER BY sequence DESC LIMIT ?)`,
    ...[applicationId, applicationId, deploymentHistoryLimit],
  );
}

function toRecord({ database }: CatalogParts, row: Row): DeploymentRecord {
  const deploymentId = textOf(row, 'deployment_id');
  const steps = database.all('SELECT * FROM deployment_steps WHERE deployment_id = ? ORDER BY position', deploymentId);
  const sha256 = textOf(row, 'sha256');
  return {
    deploymentId,
    applicationId: textOf(row, 'application_id'),
    codeVersion: toCodeVersion(sha256),
    sha256,
    message: textOf(row, 'message'),
    promote: integerOf(row, 'promote') === 1,
    createdBy: textOf(row, 'created_by'),
    createdAtMs: integerOf(row, 'created_at_ms'),
    state: textOf(row, 'state') as DeploymentState,
    steps: steps.map(toStep),
  };
}

function toStep(row: Row): StepRecord {
  const message = optionalTextOf(row, 'message');
  const problem = optionalTextOf(row, 'problem');
  return {
    name: textOf(row, 'name') as DeploymentStepName,
    atMs: integerOf(row, 'at_ms'),
    ...(message === undefined ? {} : { message }),
    ...(problem === undefined ? {} : { problem: JSON.parse(problem) }),
  };
}
