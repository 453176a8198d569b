/** The compute target in a Kubernetes cluster: `SWITCHYARD_TARGET_KUBERNETES_*`. */
import { openKubernetes } from '@switchyard/control-plane/targets';
import { isPlatformError, messageOf, Secret, systemClock } from '@switchyard/kernel';
import { type ClusterPlace, openCluster } from '../../kubernetes/open-cluster.ts';
import { targetErrors } from '../errors.ts';
import type { KubernetesSettings } from './kubernetes-settings.ts';
import type { OpenedTargets, TargetScope } from './open-targets.ts';

export async function openKubernetesTarget(
  { environment }: TargetScope,
  settings: KubernetesSettings,
): Promise<OpenedTargets> {
  const { namespace, installation, pull_secret: pullSecret } = settings;
  const { container_port: containerPort, health_path: healthPath } = settings;
  const cluster = await openCluster({ place: placeOf(settings), namespace, environment }).catch((thrown: unknown) => {
    throw toSettingError(settings, thrown);
  });
  const target = openKubernetes(
    { clock: systemClock, cluster },
    { namespace, installation, containerPort, healthPath, ...(pullSecret === undefined ? {} : { pullSecret }) },
  );
  return { targets: [target], close: async () => {} };
}

function placeOf({ kubeconfig, server, token, token_file: file, ca_file: ca }: KubernetesSettings): ClusterPlace {
  if (kubeconfig !== undefined) return { kind: 'kubeconfig', path: kubeconfig };
  return {
    kind: 'server',
    ...(server === undefined ? {} : { server }),
    ...(ca === undefined ? {} : { authorityFile: ca }),
    ...(token !== undefined ? { credential: { token: new Secret(token) } } : {}),
    ...(token === undefined && file !== undefined ? { credential: { tokenFile: file } } : {}),
  };
}

/** What is wrong with the way to the cluster, by the variable that says it. */
function toSettingError({ kubeconfig, ca_file: ca }: KubernetesSettings, thrown: unknown): unknown {
  if (!isPlatformError(thrown)) return thrown;
  const isOutside = thrown.code === 'CLUSTER_NOT_INSIDE';
  const file = thrown.details.path === ca ? 'CA_FILE' : 'TOKEN_FILE';
  const name = kubeconfig !== undefined ? 'KUBECONFIG' : isOutside ? 'SERVER' : file;
  const reason = isOutside
    ? 'this process does not run in a cluster, so the address of one is needed'
    : messageOf(thrown);
  const variable = `SWITCHYARD_TARGET_KUBERNETES_${name}`;
  return targetErrors.create('TARGET_SETTING_INVALID', { variable, reason }, thrown);
}
