/** The control API as workers that run elsewhere use it. */
import type { RemoteControl } from '@switchyard/standalone/control-plane';
import type { ControlClient } from './control-client.ts';
import { isNotFound } from './problem-error.ts';

export function createRemoteControl(client: ControlClient, signal: AbortSignal): RemoteControl {
  const pathOf = (app: string) => ({ path: { app }, signal });
  return {
    apps: (after) => client.call('listApplications', { path: {}, query: { after }, signal }),
    status: (app) =>
      client.call('getStatus', pathOf(app)).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      }),
    async setTraffic(app, weights) {
      await client.call('setTraffic', { ...pathOf(app), body: { weights: [...weights] } });
    },
    deployments: async (app) => (await client.call('listDeployments', pathOf(app))).deployments,
    async tryOut(app, sha256) {
      await client.call('createDeployment', { ...pathOf(app), body: { sha256, promote: false } });
    },
    settings: (app) => client.call('getSettings', { ...pathOf(app), query: { reveal: '' } }),
    async setSettings(app, set) {
      await client.call('patchSettings', { ...pathOf(app), body: { set } });
    },
    scales: {
      view: (app) => client.call('getScale', pathOf(app)),
      put: (app, scale, revision) =>
        client.call('putScale', { ...pathOf(app), body: { scale, ...(revision === undefined ? {} : { revision }) } }),
    },
  };
}
