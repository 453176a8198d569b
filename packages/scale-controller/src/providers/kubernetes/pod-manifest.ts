import type { Stack } from '@switchyard/model';
import { workerTokenPath } from '@switchyard/protocol/control-api';

/** How pods of workers are made in a cluster. */
export interface KubernetesPodOptions {
  /** Tells the pods of this controller from everything else in the namespace. */
  readonly installation: string;
  /** The image with the sidecar and the worker of a stack; undefined when there is none. */
  readonly imageOf: (stack: Stack) => string | undefined;
  readonly serviceAccountName: string;
  /** Where other machines find the control API of the installation: public keys, packages, and new tokens of workers. */
  readonly controlUrl: string;
  /** A Secret with `tls.crt` and `tls.key` of the pods, and `ca.crt`: who has signed the certificates of the installation. */
  readonly tlsSecret: string;
  readonly requests: { readonly cpu: string; readonly memory: string };
  /** A worker that needs more memory is ended by the cluster, one that wants more of a processor is slowed down. */
  readonly limits: { readonly cpu: string; readonly memory: string };
}

/** Where the sidecar takes assignments. */
export const assignPort = 7_073;

/** The user id of workers; nothing in the image belongs to it. */
const userId = 10_001;

export const installationLabel = 'switchyard.dev/installation';

/** The pod of one placeholder: a sidecar with its worker, without the rights of anybody. */
export function toPodManifest(workerId: string, stack: Stack, image: string, options: KubernetesPodOptions): object {
  const { installation, serviceAccountName, tlsSecret, requests, limits } = options;
  const probe = { httpGet: { path: '/health', port: 'assign', scheme: 'HTTPS' } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: workerId,
      labels: {
        'app.kubernetes.io/name': 'switchyard',
        'app.kubernetes.io/component': 'worker',
        [installationLabel]: installation,
      },
    },
    spec: {
      serviceAccountName,
      automountServiceAccountToken: false,
      // A pod serves one app in its life: what ends is replaced, never started again.
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 30,
      securityContext: {
        runAsNonRoot: true,
        ...{ runAsUser: userId, runAsGroup: userId, fsGroup: userId },
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'worker',
          image,
          args: toSidecarArguments(options),
          env: [
            { name: 'FUNCTIONS_WORKER_RUNTIME', value: stack.runtime },
            { name: 'IS_PLACEHOLDER', value: 'true' },
            { name: 'WORKER_ID', value: workerId },
            { name: 'POD_ADDRESS', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          ],
          ports: [{ name: 'assign', containerPort: assignPort }],
          resources: { requests, limits },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          readinessProbe: { httpGet: { ...probe.httpGet, path: '/ready' }, periodSeconds: 1 },
          livenessProbe: { ...probe, periodSeconds: 15, failureThreshold: 3, initialDelaySeconds: 15 },
          volumeMounts: [
            { name: 'data', mountPath: '/var/lib/switchyard' },
            { name: 'temporary', mountPath: '/tmp' },
            { name: 'tls', mountPath: '/etc/switchyard/tls', readOnly: true },
          ],
        },
      ],
      volumes: [
        { name: 'data', emptyDir: { sizeLimit: '1Gi' } },
        { name: 'temporary', emptyDir: { sizeLimit: '256Mi' } },
        { name: 'tls', secret: { secretName: tlsSecret } },
      ],
    },
  };
}

const toSidecarArguments = ({ controlUrl }: KubernetesPodOptions): readonly string[] => [
  'sidecar',
  '--host=0.0.0.0',
  `--port=${assignPort}`,
  // The cluster puts the address of the pod in its place.
  '--http-host=$(POD_ADDRESS)',
  '--data-dir=/var/lib/switchyard',
  `--keys=${controlUrl}/.well-known/jwks.json`,
  `--renew-url=${controlUrl}${workerTokenPath}`,
  '--tls-certificate=/etc/switchyard/tls/tls.crt',
  '--tls-key=/etc/switchyard/tls/tls.key',
  '--runtime-ca=/etc/switchyard/tls/ca.crt',
  '--json',
];
