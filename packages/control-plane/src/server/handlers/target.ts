/** This platform as a compute target: what workers of the control plane do that run elsewhere. */
import { Secret, settlesWithin } from '@switchyard/kernel';
import { domainErrors } from '../../domain/errors.ts';
import type { ComputeTarget, ProvisionOutcome } from '../../targets/contract.ts';
import { type ControlCall, type ControlHandlers, coversTenant, json } from '../control-call.ts';
import { RequestRefused } from '../problem.ts';

/** Whoever waits longer for a version asks again. */
const provisionMs = 20_000;

type ServiceCall = Pick<ControlCall<'getTargetService'>, 'deps' | 'caller' | 'parameters'>;

export const targetHandlers: ControlHandlers<
  | 'listTargetServices'
  | 'getTargetService'
  | 'provisionVersion'
  | 'getVersionHealth'
  | 'retireVersion'
  | 'shareTargetTraffic'
  | 'setTargetLimits'
  | 'applyTargetSettings'
  | 'readTargetSettings'
  | 'restartTargetService'
  | 'readMeasurement'
> = {
  async listTargetServices(call) {
    const { items, next } = await requireTarget(call).compute.list(call.query.after, call.signal);
    const visible = items.filter(({ tenantId }) => tenantId !== undefined && coversTenant(call.caller, tenantId));
    return json({ items: visible, ...(next === undefined ? {} : { next }) });
  },
  async getTargetService(call) {
    const found = await requireTarget(call).compute.get(call.parameters.service);
    if (found?.tenantId !== undefined && coversTenant(call.caller, found.tenantId)) return json(found);
    return unknown(call.parameters.service);
  },
  async provisionVersion(call) {
    const { tenantId, version } = call.body;
    const { compute, service } = requireService(call, tenantId);
    const outcome = compute.provision(service, version, call.signal);
    // Nobody waits for what takes longer than a call may.
    outcome.catch(() => {});
    const isSettled = await settlesWithin(call.deps.clock, provisionMs, outcome);
    const said: ProvisionOutcome | { readonly kind: 'under-way' } = isSettled ? await outcome : { kind: 'under-way' };
    return json(said);
  },
  async getVersionHealth(call) {
    await requireOwn(call);
    const { service, version } = call.parameters;
    return json({ health: await requireTarget(call).compute.healthOf(service, version) });
  },
  async retireVersion(call) {
    const { compute, service } = requireService(call, call.query.tenant);
    await compute.retire(service, call.parameters.version);
    return { kind: 'empty' };
  },
  async shareTargetTraffic(call) {
    const { tenantId, shares, ...order } = call.body;
    const { compute, service } = requireService(call, tenantId);
    await compute.setTraffic(service, shares, order);
    return { kind: 'empty' };
  },
  async setTargetLimits(call) {
    const { tenantId, limits } = call.body;
    const { compute, service } = requireService(call, tenantId);
    await compute.setLimits(service, limits);
    return { kind: 'empty' };
  },
  async applyTargetSettings(call) {
    const { tenantId, set, ...order } = call.body;
    const { compute, service } = requireService(call, tenantId);
    const values = new Map(Object.entries(set).map(([name, value]) => [name, new Secret(value)]));
    return json({ outcome: await compute.applySettings(service, values, order) });
  },
  async readTargetSettings(call) {
    await requireOwn(call);
    const found = await requireTarget(call).compute.readSettings(call.parameters.service, call.body.names);
    return json({ values: Object.fromEntries([...found].map(([name, value]) => [name, value.reveal()])) });
  },
  async restartTargetService(call) {
    const { compute, service } = requireService(call, call.body.tenantId);
    await compute.restart(service, call.signal);
    return { kind: 'empty' };
  },
  async readMeasurement(call) {
    await requireOwn(call);
    const { service, metric } = call.parameters;
    const value = await requireTarget(call).telemetry.read(service, metric, call.deps.clock.now());
    return json(value === undefined ? {} : { value });
  },
};

function requireTarget({ deps }: Pick<ServiceCall, 'deps'>): NonNullable<ServiceCall['deps']['target']> {
  return deps.target ?? refuse(domainErrors.create('CONTROL_PLANE_OFF'));
}

/** The target itself refuses what is not of that tenant. */
function requireService(
  call: ServiceCall,
  tenantId: string,
): { readonly compute: ComputeTarget; readonly service: { readonly serviceId: string; readonly tenantId: string } } {
  const serviceId = call.parameters.service;
  if (!coversTenant(call.caller, tenantId)) return unknown(serviceId);
  return { compute: requireTarget(call).compute, service: { serviceId, tenantId } };
}

/** Another tenant's service is as unknown as one that there is not. */
async function requireOwn(call: ServiceCall): Promise<void> {
  const found = await requireTarget(call).compute.get(call.parameters.service);
  if (found?.tenantId === undefined || !coversTenant(call.caller, found.tenantId)) unknown(call.parameters.service);
}

function unknown(id: string): never {
  return refuse(domainErrors.create('RECORD_UNKNOWN', { kind: 'service', id }));
}

function refuse(...[error]: ConstructorParameters<typeof RequestRefused>): never {
  throw new RequestRefused(error);
}
