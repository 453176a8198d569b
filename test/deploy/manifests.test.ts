/** Manifests and chart: against the schemas of their kinds, against each other, and against the commands that they run. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dumpYaml, type KubernetesObject, loadYaml } from '@kubernetes/client-node';
import { toPodManifest } from '@switchyard/scale-controller';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { toRemoteWorkers } from '../../packages/cli/src/commands/up/worker-flags.ts';
import { upCommand } from '../../packages/cli/src/commands/up.ts';
import { parseArguments } from '../../packages/cli/src/parse-arguments.ts';
import { commands } from '../../packages/cli/src/registry.ts';
import { type DeploymentManifest, type Manifest, manifestSchema } from './kinds.ts';
import { renderTemplate } from './render-chart.ts';

const deploy = fileURLToPath(new URL('../../deploy/', import.meta.url));
/** A chart of `deploy/helm`. */
const chartFolder = (name: string): string => `${deploy}helm/${name}/`;
const chartNames = ['switchyard', 'installation'] as const;

const read = (path: string): string => readFileSync(path, 'utf8');

/** Each document of a file, held against the schema of its kind. */
const toManifests = (text: string): Manifest[] =>
  parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return manifestSchema.parse(document.toJS());
  });

const filesOf = (folder: string): string[] => readdirSync(folder).sort();

const plain = (): Manifest[] =>
  filesOf(`${deploy}kubernetes`).flatMap((file) => toManifests(read(`${deploy}kubernetes/${file}`)));

const valuesOf = (name: string) => parse(read(`${chartFolder(name)}values.yaml`));
const values = valuesOf('switchyard');

const renderChart = (name: string, release: string, given: unknown = valuesOf(name)): Manifest[] =>
  filesOf(`${chartFolder(name)}templates`).flatMap((file) =>
    toManifests(
      renderTemplate(read(`${chartFolder(name)}templates/${file}`), { Values: given, Release: { Name: release } }),
    ),
  );

const rendered = (release = 'switchyard'): Manifest[] => chartNames.flatMap((name) => renderChart(name, release));

const isDeployment = (manifest: Manifest): manifest is DeploymentManifest => manifest.kind === 'Deployment';

/** The pod that an installation would make by the arguments of its container. */
function workerPodOf({ spec }: DeploymentManifest): { metadata: { labels: Record<string, string> }; spec: WorkerSpec } {
  const [{ args = [] } = {}] = spec.template.spec.containers;
  const parsed = parseArguments(
    upCommand,
    args.slice(1).map((word) => word.replaceAll('$(POD_NAMESPACE)', 'shops')),
  );
  if (parsed.kind !== 'parsed') throw new Error(`the arguments are not understood: ${args.join(' ')}`);
  const flags = Object.fromEntries(parsed.given) as Parameters<typeof toRemoteWorkers>[0];
  const { workerKubernetes: options } = toRemoteWorkers(flags, { workingDirectory: '/' });
  if (options === undefined) throw new Error('its workers are no pods');
  const stack = { runtime: 'node', version: '24', architecture: 'x64' } as const;
  const pod = toPodManifest('w-1', stack, options.images.get('node') ?? '', {
    ...options,
    ...{ imageOf: () => undefined, controlUrl: 'https://up:7072', serviceAccountName: options.serviceAccount },
  });
  return JSON.parse(JSON.stringify(pod));
}

interface WorkerSpec {
  readonly serviceAccountName: string;
  readonly volumes: readonly { readonly secret?: { readonly secretName: string } }[];
  readonly containers: readonly { readonly image: string; readonly resources: { readonly limits: object } }[];
}

const isInstallation = ({ spec }: DeploymentManifest): boolean =>
  spec.template.spec.containers.some(({ args }) => args[0] === 'up');

const covers = (labels: Record<string, string>, selector: Record<string, string>): boolean =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

/** What the models of the official client, made from the cluster's own description of its API, keep of a manifest. */
const modelled = (manifest: object): unknown => parse(dumpYaml(loadYaml<KubernetesObject>(stringify(manifest))));

describe.each([
  ['the manifests', plain],
  ['the chart', () => rendered()],
  ['the chart under another name', () => rendered('other')],
])('%s', (_, manifests) => {
  it('are of kinds that are known, with names of their own', () => {
    const names = manifests().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names.length).toBeGreaterThanOrEqual(7);
    expect(new Set(names).size).toBe(names.length);
  });

  it('say nothing that the official client does not know of their kinds', () => {
    const all = manifests();
    const pods = all.filter(isDeployment).filter(isInstallation).map(workerPodOf);
    for (const manifest of [...all, ...pods]) expect(modelled(manifest)).toEqual(manifest);
    const misspelt = { ...all[0], metadata: { ...all[0]?.metadata, lables: {} } };
    expect(modelled(misspelt)).not.toEqual(misspelt);
  });

  it('select the pods that they make, and no others', () => {
    const all = manifests();
    const deployments = all.filter(isDeployment);
    for (const { spec } of deployments) {
      expect(spec.selector.matchLabels).toEqual(spec.template.metadata.labels);
      const chosen = deployments.filter((other) =>
        covers(other.spec.template.metadata.labels, spec.selector.matchLabels),
      );
      expect(chosen).toHaveLength(1);
    }
    for (const manifest of all) {
      if (manifest.kind !== 'Service') continue;
      const pods = deployments.filter(({ spec }) => covers(spec.template.metadata.labels, manifest.spec.selector));
      expect(pods).toHaveLength(1);
      const named = pods[0]?.spec.template.spec.containers.flatMap(({ ports }) => ports.map(({ name }) => name));
      for (const { targetPort } of manifest.spec.ports) expect(named).toContain(targetPort);
    }
    for (const manifest of all) {
      if (manifest.kind !== 'NetworkPolicy') continue;
      for (const { from = [] } of manifest.spec.ingress) {
        for (const { podSelector } of from) {
          const pods = [
            ...deployments.map(({ spec }) => spec.template.metadata.labels),
            ...deployments.filter(isInstallation).map((one) => workerPodOf(one).metadata.labels),
          ];
          expect(pods.some((labels) => covers(labels, podSelector.matchLabels))).toBe(true);
        }
      }
    }
  });

  it('mount volumes that are there, claim what is claimed, and run as accounts that exist', () => {
    const all = manifests();
    const named = (kind: Manifest['kind']): string[] =>
      all.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name);
    for (const { spec } of all.filter(isDeployment)) {
      const { volumes, containers, serviceAccountName } = spec.template.spec;
      const mounted = containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name));
      expect(volumes.map(({ name }) => name).sort()).toEqual([...new Set(mounted)].sort());
      expect(named('ServiceAccount')).toContain(serviceAccountName);
      for (const volume of volumes) {
        if ('persistentVolumeClaim' in volume) {
          expect(named('PersistentVolumeClaim')).toContain(volume.persistentVolumeClaim.claimName);
        }
      }
    }
  });

  it('let an installation make the pods of its workers, and nothing else in the cluster', () => {
    const all = manifests();
    const [installation, ...others] = all.filter(isDeployment).filter(isInstallation);
    if (installation === undefined) throw new Error('there is no installation');
    expect(others).toEqual([]);
    const { serviceAccountName } = installation.spec.template.spec;
    const bindings = all.filter((one) => one.kind === 'RoleBinding');
    expect(bindings.map(({ subjects }) => subjects.map(({ name }) => name))).toEqual([[serviceAccountName]]);
    const roles = all.filter((one) => one.kind === 'Role');
    expect(roles.map(({ metadata }) => metadata.name)).toEqual(bindings.map(({ roleRef }) => roleRef.name));
    expect(roles.map(({ rules }) => rules)).toEqual([
      [{ apiGroups: [''], resources: ['pods'], verbs: ['create', 'list', 'delete'] }],
    ]);
    // Nobody else asks the cluster for anything.
    const asking = all.filter(isDeployment).filter(({ spec }) => spec.template.spec.automountServiceAccountToken);
    expect(asking).toEqual([installation]);
    const { metadata, spec } = workerPodOf(installation);
    const accounts = all.filter(({ kind }) => kind === 'ServiceAccount').map((one) => one.metadata.name);
    expect(accounts).toContain(spec.serviceAccountName);
    expect(spec.serviceAccountName).not.toBe(serviceAccountName);
    const policies = all.filter((one) => one.kind === 'NetworkPolicy');
    const theirs = policies.filter((one) => covers(metadata.labels, one.spec.podSelector.matchLabels));
    expect(theirs).toHaveLength(1);
    const service = all.find((one) => one.kind === 'Service' && one.metadata.name === installation.metadata.name);
    expect(installation.spec.template.spec.containers[0]?.args).toContain(
      `--advertised-host=${service?.metadata.name}.$(POD_NAMESPACE).svc`,
    );
  });

  it('run commands as they are, with files that are mounted', () => {
    for (const { spec } of manifests().filter(isDeployment)) {
      for (const { args, volumeMounts, ports, startupProbe, livenessProbe, readinessProbe } of spec.template.spec
        .containers) {
        const [name = '', ...words] = args;
        const command = commands.find((one) => one.name === name);
        if (command === undefined) throw new Error(`there is no command '${name}'`);
        expect(parseArguments(command, words)).toMatchObject({ kind: 'parsed' });
        for (const word of words) {
          const path = /=(\/.*)$/.exec(word)?.[1];
          if (path === undefined) continue;
          expect(volumeMounts.some(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`))).toBe(
            true,
          );
        }
        const known = ports.map((port) => port.name);
        for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
          if (probe !== undefined && 'tcpSocket' in probe) expect(known).toContain(probe.tcpSocket.port);
          if (probe !== undefined && 'httpGet' in probe) expect(known).toContain(probe.httpGet.port);
        }
      }
    }
  });
});

describe('the chart', () => {
  it('makes what the manifests are, but for what tells releases apart', () => {
    const withoutRelease = (text: string): string =>
      text
        .replaceAll(/"(app\.kubernetes\.io\/instance|imagePullPolicy)":"[^"]*",?/g, '')
        .replaceAll('switchyard-placeholders-node-24', 'switchyard-placeholders')
        .replaceAll(',}', '}');
    const textOf = (manifests: readonly Manifest[]): string[] =>
      manifests.map((manifest) => withoutRelease(JSON.stringify(manifest))).sort();
    expect(textOf(rendered())).toEqual(textOf(plain()));
  });

  it('takes other values where it should', () => {
    const given = structuredClone(values);
    given.runtime.image = { repository: 'registry.example/runtime', tag: 'v9', pullPolicy: 'Always' };
    given.placeholders.replicas = 0;
    given.tokenKeysSecret = 'my-keys';
    const [placeholders, runtime] = renderChart('switchyard', 'prod', given).filter(isDeployment);
    expect(runtime?.spec.template.spec.containers[0]).toMatchObject({
      image: 'registry.example/runtime:v9',
      imagePullPolicy: 'Always',
    });
    expect([placeholders?.spec.replicas, placeholders?.metadata.name]).toEqual([0, 'prod-placeholders']);
    expect(JSON.stringify([placeholders, runtime]).match(/my-keys/g)).toHaveLength(2);
  });

  it('has pods of workers as the values say', () => {
    const given = valuesOf('installation');
    given.workers.image = { repository: 'registry.example/worker', tag: 'v9' };
    given.workers.limits = { cpu: '2', memory: '2Gi' };
    given.workers.tlsSecret = 'my-tls';
    given.moreArguments = ['--placeholders=3', '--worker-image=python=worker-python:3'];
    const [installation] = renderChart('installation', 'prod', given).filter(isDeployment);
    if (installation === undefined) throw new Error('there is no installation');
    const { spec } = workerPodOf(installation);
    expect(spec.containers[0]).toMatchObject({
      image: 'registry.example/worker:v9',
      resources: { limits: { cpu: '2', memory: '2Gi' } },
    });
    expect(spec.volumes.map(({ secret }) => secret?.secretName)).toContain('my-tls');
    expect(installation.spec.template.spec.containers[0]?.args.slice(-2)).toEqual(given.moreArguments);
  });

  it.each([
    ['switchyard', ['runtime', 'placeholders']],
    ['installation', ['workers']],
  ])('%s has a schema that names every value, with a chart of the version of the package', (name, parts) => {
    const schema = JSON.parse(read(`${chartFolder(name)}values.schema.json`));
    const given = valuesOf(name);
    expect(
      Object.keys(schema.properties)
        .filter((property) => property !== 'global')
        .sort(),
    ).toEqual(Object.keys(given).sort());
    for (const part of parts) {
      expect(Object.keys(schema.properties[part].properties).sort()).toEqual(Object.keys(given[part]).sort());
    }
    const { version, appVersion } = parse(read(`${chartFolder(name)}Chart.yaml`));
    const own = JSON.parse(read(fileURLToPath(new URL('../../package.json', import.meta.url))));
    expect([version, appVersion]).toEqual([own.version, own.version]);
  });

  it('is refused by this test when it uses more of the language, or a value that is not there', () => {
    const scope = { Values: {}, Release: { Name: 'x' } };
    expect(() => renderTemplate('{{ include "x" . }}', scope)).toThrow('does not know');
    expect(() => renderTemplate('{{ .Values.nothing }}', scope)).toThrow('has no value');
  });
});
