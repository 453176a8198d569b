/** Manifests and chart: against the schemas of their kinds, against each other, and against the commands that they run. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseArguments } from '../../packages/cli/src/parse-arguments.ts';
import { commands } from '../../packages/cli/src/registry.ts';
import { type DeploymentManifest, type Manifest, manifestSchema } from './kinds.ts';
import { renderTemplate } from './render-chart.ts';

const deploy = fileURLToPath(new URL('../../deploy/', import.meta.url));
const chart = `${deploy}helm/switchyard/`;

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

const values = parse(read(`${chart}values.yaml`));

const rendered = (release = 'switchyard', given: unknown = values): Manifest[] =>
  filesOf(`${chart}templates`).flatMap((file) =>
    toManifests(renderTemplate(read(`${chart}templates/${file}`), { Values: given, Release: { Name: release } })),
  );

const isDeployment = (manifest: Manifest): manifest is DeploymentManifest => manifest.kind === 'Deployment';

const covers = (labels: Record<string, string>, selector: Record<string, string>): boolean =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

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
          expect(deployments.some(({ spec }) => covers(spec.template.metadata.labels, podSelector.matchLabels))).toBe(
            true,
          );
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
    const [placeholders, runtime] = rendered('prod', given).filter(isDeployment);
    expect(runtime?.spec.template.spec.containers[0]).toMatchObject({
      image: 'registry.example/runtime:v9',
      imagePullPolicy: 'Always',
    });
    expect([placeholders?.spec.replicas, placeholders?.metadata.name]).toEqual([0, 'prod-placeholders']);
    expect(JSON.stringify([placeholders, runtime]).match(/my-keys/g)).toHaveLength(2);
  });

  it('has a schema that names every value, with a chart of the version of the package', () => {
    const schema = JSON.parse(read(`${chart}values.schema.json`));
    expect(
      Object.keys(schema.properties)
        .filter((name) => name !== 'global')
        .sort(),
    ).toEqual(Object.keys(values).sort());
    for (const part of ['runtime', 'placeholders']) {
      expect(Object.keys(schema.properties[part].properties).sort()).toEqual(Object.keys(values[part]).sort());
    }
    const { version, appVersion } = parse(read(`${chart}Chart.yaml`));
    const own = JSON.parse(read(fileURLToPath(new URL('../../package.json', import.meta.url))));
    expect([version, appVersion]).toEqual([own.version, own.version]);
  });

  it('is refused by this test when it uses more of the language, or a value that is not there', () => {
    const scope = { Values: {}, Release: { Name: 'x' } };
    expect(() => renderTemplate('{{ include "x" . }}', scope)).toThrow('does not know');
    expect(() => renderTemplate('{{ .Values.nothing }}', scope)).toThrow('has no value');
  });
});
