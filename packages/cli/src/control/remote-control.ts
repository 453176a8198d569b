/** The control API as workers that run elsewhere use it. */
import type { RemoteControl } from '@switchyard/standalone/control-plane';
import type { ControlClient } from './control-client.ts';
import { isNotFound } from './problem-error.ts';

export function createRemoteControl(client: ControlClient, stopped: AbortSignal): RemoteControl {
  const of = (service: string) => ({ path: { service }, signal: stopped });
  const within = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, stopped]);
  return {
    list: (after, signal) => client.call('listTargetServices', { path: {}, query: { after }, signal: within(signal) }),
    get: (service) =>
      client.call('getTargetService', of(service)).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      }),
    async provision({ serviceId, tenantId }, version, signal) {
      const { kind, reason = 'it did not come up' } = await client.call('provisionVersion', {
        ...{ path: { service: serviceId }, body: { tenantId, version }, signal: within(signal) },
      });
      return kind === 'failed' ? { kind, reason } : { kind };
    },
    async healthOf(service, version) {
      return (await client.call('getVersionHealth', { path: { service, version }, signal: stopped })).health;
    },
    async retire({ serviceId, tenantId }, version) {
      const path = { service: serviceId, version };
      await client.call('retireVersion', { path, query: { tenant: tenantId }, signal: stopped });
    },
    async setTraffic({ serviceId, tenantId }, shares, order) {
      await client.call('shareTargetTraffic', { ...of(serviceId), body: { tenantId, shares: [...shares], ...order } });
    },
    async setLimits({ serviceId, tenantId }, limits) {
      await client.call('setTargetLimits', { ...of(serviceId), body: { tenantId, limits } });
    },
    async applySettings({ serviceId, tenantId }, set, { remove, revision }) {
      const more = {
        ...(remove === undefined ? {} : { remove: [...remove] }),
        ...(revision === undefined ? {} : { revision }),
      };
      const body = { tenantId, set: { ...set }, ...more };
      return (await client.call('applyTargetSettings', { ...of(serviceId), body })).outcome;
    },
    async readSettings(service, names) {
      return (await client.call('readTargetSettings', { ...of(service), body: { names: [...names] } })).values;
    },
    async restart({ serviceId, tenantId }, signal) {
      await client.call('restartTargetService', {
        ...{ path: { service: serviceId }, body: { tenantId }, signal: within(signal) },
      });
    },
    async measure(service, metric) {
      return (await client.call('readMeasurement', { path: { service, metric }, signal: stopped })).value;
    },
  };
}
