import { createDeferred } from '@switchyard/kernel';
import type { ControlEvent } from '@switchyard/protocol/control-api';
import type { DeploymentRecord, Deployments } from '../../catalog/contract.ts';
import { type ControlCall, type ControlHandlers, isOn, json, requireApplication, toStack } from '../control-call.ts';
import { refuseRequest, writtenValue } from '../problem.ts';
import { toDeploymentView, toStepView } from '../views.ts';
import { holdsPackage } from './packages.ts';

/** From a stored package to a version that serves. */
export const deploymentHandlers: ControlHandlers<'createDeployment' | 'listDeployments' | 'getDeployment'> = {
  async createDeployment(call) {
    const { deps, caller, options, body } = call;
    const { applicationId, tenantId } = requireApplication(call);
    const { sha256, stack, message = '', promote = true } = body;
    const { catalog, packages, platform } = deps;
    const isHeld = holdsPackage(catalog.packageGrants, caller, sha256);
    if (!isHeld || (await packages.sizeOf(sha256)) === undefined) refuseRequest('PACKAGE_UNKNOWN', { sha256 });
    const request = { applicationId, sha256, message, promote, createdBy: caller.subject };
    const deployment = writtenValue(
      catalog.deployments.create({
        ...request,
        ...(stack === undefined ? {} : { stack: toStack(stack, options) }),
      }),
    );
    catalog.packageGrants.grant(sha256, [tenantId]);
    platform.deploy(deployment);
    return json({ deploymentId: deployment.deploymentId, codeVersion: deployment.codeVersion });
  },
  listDeployments(call) {
    const { applicationId } = requireApplication(call);
    return json({ deployments: call.deps.catalog.deployments.list(applicationId).map(toDeploymentView) });
  },
  getDeployment(call) {
    const deployment = requireDeployment(call);
    if (!isOn(call.query.watch)) return json(toDeploymentView(deployment));
    const events = watchSteps(call.deps.catalog.deployments, deployment.deploymentId, call.signal);
    return { kind: 'events', events };
  },
};

function requireDeployment(call: ControlCall<'getDeployment'>): DeploymentRecord {
  const { applicationId } = requireApplication(call);
  const deploymentId = call.parameters.id;
  const found = call.deps.catalog.deployments.get(deploymentId);
  if (found?.applicationId === applicationId) return found;
  return refuseRequest('DEPLOYMENT_UNKNOWN', { applicationId, deploymentId });
}

/** Every step once, past ones first, until the deployment has ended or is gone. */
async function* watchSteps(
  deployments: Deployments,
  deploymentId: string,
  signal: AbortSignal,
): AsyncGenerator<ControlEvent, void, undefined> {
  let changed = createDeferred<void>();
  const wake = (): void => changed.resolve();
  const leave = deployments.watch(deploymentId, wake);
  signal.addEventListener('abort', wake, { once: true });
  try {
    for (let shown = 0; !signal.aborted; ) {
      const deployment = deployments.get(deploymentId);
      if (deployment === undefined) return;
      for (const step of deployment.steps.slice(shown)) yield { name: 'step', data: toStepView(step) };
      shown = deployment.steps.length;
      if (deployment.state !== 'running') return;
      await changed.promise;
      changed = createDeferred<void>();
    }
  } finally {
    leave();
    signal.removeEventListener('abort', wake);
  }
}
