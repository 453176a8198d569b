/** The compute target in a Kubernetes cluster: `SWITCHYARD_TARGET_KUBERNETES_*`. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { openKubernetes } from '@switchyard/control-plane/targets';
import { messageOf, Secret, systemClock } from '@switchyard/kernel';
import { createHttpExchange } from '@switchyard/protocol/http-exchange';
import { targetErrors } from '../errors.ts';
import type { KubernetesSettings } from './kubernetes-settings.ts';
import type { OpenedTargets, TargetScope } from './open-targets.ts';

/** What every pod gets of the cluster that it runs in. */
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

const timeoutMs = 30_000;

export async function openKubernetesTarget(
  { environment }: TargetScope,
  settings: KubernetesSettings,
): Promise<OpenedTargets> {
  const {
    server: given,
    token,
    container_port: containerPort,
    health_path: healthPath,
    pull_secret: pullSecret,
  } = settings;
  const host = environment.KUBERNETES_SERVICE_HOST;
  const isInside = given === undefined;
  if (isInside && host === undefined) {
    const reason = 'this process does not run in a cluster, so the address of one is needed';
    throw targetErrors.create('TARGET_SETTING_INVALID', { variable: 'SWITCHYARD_TARGET_KUBERNETES_SERVER', reason });
  }
  const own = `https://${host?.includes(':') ? `[${host}]` : host}:${environment.KUBERNETES_SERVICE_PORT ?? '443'}`;
  const tokenFile = settings.token_file ?? join(accountFolder, 'token');
  const caFile = settings.ca_file ?? (isInside ? join(accountFolder, 'ca.crt') : undefined);
  const ca = caFile === undefined ? undefined : await readSetting('CA_FILE', caFile);
  // A token that cannot be read is told at the start, not at the first deployment.
  if (token === undefined) await readSetting('TOKEN_FILE', tokenFile);
  const exchange = createHttpExchange(
    { clock: systemClock, request },
    { timeoutMs, ...(ca === undefined ? {} : { ca }) },
  );
  const target = openKubernetes(
    { clock: systemClock, exchange },
    {
      ...{ server: given ?? own, containerPort, healthPath },
      ...{ namespace: settings.namespace, installation: settings.installation },
      token: async () => new Secret(token ?? (await readSetting('TOKEN_FILE', tokenFile)).trim()),
      ...(pullSecret === undefined ? {} : { pullSecret }),
    },
  );
  return { targets: [target], close: async () => {} };
}

async function readSetting(name: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    const variable = `SWITCHYARD_TARGET_KUBERNETES_${name}`;
    throw targetErrors.create('TARGET_SETTING_INVALID', { variable, reason: messageOf(thrown) }, thrown);
  }
}
