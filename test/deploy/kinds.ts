/** The kinds of Kubernetes that our manifests use, as far as they use them: what is not here is a mistake. */
import { z } from 'zod';

const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a DNS label');
const labels = z.record(
  z.string().regex(/^([a-z0-9.-]+\/)?[A-Za-z0-9._-]{1,63}$/),
  z.string().regex(/^[A-Za-z0-9._-]{0,63}$/),
);
const metadata = z.strictObject({ name, labels });
const quantity = z.string().regex(/^[0-9]+(m|Mi|Gi)?$/, 'must be a quantity as text');
const portName = z.string().regex(/^[a-z0-9-]{1,15}$/);
const portNumber = z.int().min(1).max(65_535);

const probeTimes = {
  periodSeconds: z.int().min(1).exactOptional(),
  timeoutSeconds: z.int().min(1).exactOptional(),
  failureThreshold: z.int().min(1).exactOptional(),
};
const probe = z.union([
  z.strictObject({ exec: z.strictObject({ command: z.array(z.string()).min(1) }), ...probeTimes }),
  z.strictObject({ tcpSocket: z.strictObject({ port: portName }), ...probeTimes }),
  z.strictObject({
    httpGet: z.strictObject({
      path: z.string().startsWith('/'),
      port: portName,
      scheme: z.enum(['HTTP', 'HTTPS']),
      httpHeaders: z.array(z.strictObject({ name: z.string(), value: z.string() })).exactOptional(),
    }),
    ...probeTimes,
  }),
]);

const environmentVariable = z.union([
  z.strictObject({ name: z.string().regex(/^[A-Z_]+$/), value: z.string() }),
  z.strictObject({
    name: z.string().regex(/^[A-Z_]+$/),
    valueFrom: z.strictObject({ fieldRef: z.strictObject({ fieldPath: z.string() }) }),
  }),
]);

const resources = z.strictObject({
  requests: z.strictObject({ cpu: quantity, memory: quantity }),
  limits: z.strictObject({ cpu: quantity, memory: quantity }),
});

/** Every container has limits, probes and no more rights than it needs. */
const container = z.strictObject({
  name,
  image: z.string().regex(/^[a-z0-9./-]+:[A-Za-z0-9._-]+$/, 'must name a tag'),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).exactOptional(),
  args: z.array(z.string()).min(1),
  env: z.array(environmentVariable).exactOptional(),
  ports: z.array(z.strictObject({ name: portName, containerPort: portNumber })).min(1),
  resources,
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe.exactOptional(),
  volumeMounts: z.array(
    z.strictObject({ name, mountPath: z.string().startsWith('/'), readOnly: z.boolean().exactOptional() }),
  ),
});

const volume = z.union([
  z.strictObject({ name, emptyDir: z.strictObject({ sizeLimit: quantity }) }),
  z.strictObject({ name, secret: z.strictObject({ secretName: name }) }),
  z.strictObject({ name, persistentVolumeClaim: z.strictObject({ claimName: name }) }),
]);

const podSpec = z.strictObject({
  serviceAccountName: name,
  /** True where the pod asks the cluster for something; a role says for what. */
  automountServiceAccountToken: z.boolean(),
  terminationGracePeriodSeconds: z.int().min(1),
  securityContext: z.strictObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.int().min(1),
    runAsGroup: z.int().min(1),
    fsGroup: z.int().min(1),
    seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
  }),
  containers: z.array(container).min(1),
  volumes: z.array(volume),
});

const deployment = z.strictObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('Deployment'),
  metadata,
  spec: z.strictObject({
    replicas: z.int().min(0),
    strategy: z.strictObject({ type: z.enum(['Recreate', 'RollingUpdate']) }).exactOptional(),
    selector: z.strictObject({ matchLabels: labels }),
    template: z.strictObject({ metadata: z.strictObject({ labels }), spec: podSpec }),
  }),
});

const service = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  metadata,
  spec: z.strictObject({
    selector: labels,
    ports: z.array(z.strictObject({ name: portName, port: portNumber, targetPort: portName })).min(1),
  }),
});

const serviceAccount = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('ServiceAccount'),
  metadata,
  automountServiceAccountToken: z.literal(false),
});

const claim = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('PersistentVolumeClaim'),
  metadata,
  spec: z.strictObject({
    accessModes: z.tuple([z.literal('ReadWriteOnce')]),
    resources: z.strictObject({ requests: z.strictObject({ storage: quantity }) }),
  }),
});

const networkPolicy = z.strictObject({
  apiVersion: z.literal('networking.k8s.io/v1'),
  kind: z.literal('NetworkPolicy'),
  metadata,
  spec: z.strictObject({
    podSelector: z.strictObject({ matchLabels: labels }),
    policyTypes: z.tuple([z.literal('Ingress')]),
    ingress: z.array(
      z.strictObject({
        from: z.array(z.strictObject({ podSelector: z.strictObject({ matchLabels: labels }) })).exactOptional(),
        ports: z
          .array(z.strictObject({ port: portName }))
          .min(1)
          .exactOptional(),
      }),
    ),
  }),
});

const role = z.strictObject({
  apiVersion: z.literal('rbac.authorization.k8s.io/v1'),
  kind: z.literal('Role'),
  metadata,
  rules: z.array(
    z.strictObject({
      apiGroups: z.array(z.string()).min(1),
      resources: z.array(z.string().regex(/^[a-z]+$/, 'must name resources one by one')).min(1),
      verbs: z.array(z.enum(['create', 'get', 'list', 'watch', 'delete'])).min(1),
    }),
  ),
});

const roleBinding = z.strictObject({
  apiVersion: z.literal('rbac.authorization.k8s.io/v1'),
  kind: z.literal('RoleBinding'),
  metadata,
  roleRef: z.strictObject({ apiGroup: z.literal('rbac.authorization.k8s.io'), kind: z.literal('Role'), name }),
  subjects: z.array(z.strictObject({ kind: z.literal('ServiceAccount'), name })).min(1),
});

export const manifestSchema = z.discriminatedUnion('kind', [
  deployment,
  service,
  serviceAccount,
  claim,
  networkPolicy,
  role,
  roleBinding,
]);

export type Manifest = z.infer<typeof manifestSchema>;
export type DeploymentManifest = z.infer<typeof deployment>;
