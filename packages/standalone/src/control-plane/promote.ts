/** Puts what was deployed into service, as a deployment of the worker. */
import { type ControlPlane, createLooseService, type DeploymentRecord } from '@switchyard/control-plane';
import { sleep, systemClock } from '@switchyard/kernel';
import { targetErrors } from './errors.ts';
import type { SwitchyardPlatform } from './platform-port.ts';
import type { TenantWatch } from './watch-tenants.ts';

/** What is to be put into service. */
export type Promoted = Pick<DeploymentRecord, 'applicationId' | 'codeVersion' | 'createdBy'>;

export interface PromoteParts {
  readonly catalog: SwitchyardPlatform['catalog'];
  readonly plane: ControlPlane;
  readonly tenants: TenantWatch;
}

/** How often the end of a deployment is looked for, and how long it may take. */
const pollMs = 50;
const longestRollOutMs = 60 * 60_000;

/** Rejects when it was rolled back, and with the signal's reason when nobody waits any more: the deployment goes on. */
export async function promote(
  { catalog, plane: { commands, state, look }, tenants }: PromoteParts,
  { applicationId, codeVersion, createdBy }: Promoted,
  signal: AbortSignal,
): Promise<void> {
  const tenantId = catalog.applications.get(applicationId)?.tenantId;
  if (tenantId === undefined) return;
  await tenants.ensure(tenantId);
  const by = { subject: createdBy };
  const of = { serviceId: applicationId, tenantId, computeTarget: 'switchyard', version: codeVersion };
  await commands.ensureService(createLooseService(of), by);
  const { deploymentId } = await commands.deploy({ serviceId: applicationId, version: codeVersion }, by);
  void look('deployment', applicationId);
  const untilMs = systemClock.now() + longestRollOutMs;
  while (systemClock.now() < untilMs) {
    const deployment = await state.get('deployment', deploymentId);
    if (deployment === undefined || deployment.state === 'completed') return;
    if (deployment.state === 'failed' || deployment.state === 'rolled-back') {
      const reason = deployment.reason ?? deployment.state;
      throw targetErrors.create('ROLL_OUT_FAILED', { applicationId, codeVersion, reason });
    }
    await sleep(systemClock, pollMs, signal);
  }
  throw targetErrors.create('ROLL_OUT_FAILED', { applicationId, codeVersion, reason: 'it takes too long' });
}
