import { join } from 'node:path';
import { type Catalog, decodeIndex, type Version } from '@switchyard/control-plane';
import { createSettingsView, parseHostJson, parseJsonText, type Stack } from '@switchyard/model';
import type { OpenPackage } from '../open-package.ts';
import type { WantedVersion } from './app-hosting.ts';
import { type DeployedVersion, effectiveCodeVersion } from './deployed-version.ts';
import type { MetadataInput, MetadataVersions } from './metadata-version.ts';

export interface VersionSourceDeps {
  readonly catalog: Catalog;
  readonly openPackage: OpenPackage;
  /** The metadataVersion of a version with the given settings. */
  readonly metadataVersionOf: MetadataVersions;
  /** Names every part of a stack, as it is here. Throws when there is none like it. */
  readonly completeStack: (stack: Stack) => Stack;
  readonly cpus: number;
  /** Puts secrets in the place of references to them; without it they stay as they are written. */
  readonly resolveSecrets?: (
    tenantId: string,
    values: ReadonlyMap<string, string>,
  ) => Promise<ReadonlyMap<string, string>>;
}

/** Reads from the catalog what the Runtime should host. */
export interface VersionSource {
  /** The versions of an app that have traffic, and those that had it before, for a way back at once. */
  wantedOf(applicationId: string): Promise<readonly WantedVersion[]>;
  /** An indexed version with the settings of now; undefined when there is none. Rejects when its files are wrong. */
  read(applicationId: string, codeVersion: string): Promise<DeployedVersion | undefined>;
  /** The settings of an app in clear. */
  valuesOf(applicationId: string): ReadonlyMap<string, string>;
}

export function createVersionSource(deps: VersionSourceDeps): VersionSource {
  const { catalog } = deps;
  const valuesOf = (applicationId: string): ReadonlyMap<string, string> =>
    new Map([...catalog.settings.get(applicationId).values].map(([name, value]) => [name, value.reveal()]));
  const read = async (applicationId: string, codeVersion: string): Promise<DeployedVersion | undefined> => {
    const application = catalog.applications.get(applicationId);
    const version = catalog.versions.get(applicationId, codeVersion);
    if (application === undefined || version?.status.kind !== 'indexed') return undefined;
    const { revision } = catalog.settings.get(applicationId);
    const written = valuesOf(applicationId);
    const values = (await deps.resolveSecrets?.(application.tenantId, written)) ?? written;
    const index = decodeIndex(version.status.index);
    const directory = await deps.openPackage(version.sha256, application.tenantId);
    const metadataVersion = await currentMetadataVersion(deps, version, { index, values, directory, revision });
    const where = join(directory, 'host.json');
    const { hostJson: text } = version.status;
    const hostJson = text === undefined ? undefined : parseJsonText(text, where);
    return {
      definition: { applicationId, metadataVersion, codeVersion: effectiveCodeVersion(codeVersion, revision) },
      tenantId: application.tenantId,
      hostNames: application.hostNames,
      stack: deps.completeStack(version.stack),
      directory,
      hostJson,
      host: parseHostJson(hostJson, { where, settings: values, development: false, cpus: deps.cpus }),
      index,
      values,
      settings: createSettingsView(values),
    };
  };
  return {
    read,
    valuesOf,
    async wantedOf(applicationId) {
      const [now, before] = catalog.traffic.history(applicationId);
      const weights = new Map((now?.weights ?? []).map(({ codeVersion, weight }) => [codeVersion, weight]));
      for (const { codeVersion, weight } of before?.weights ?? []) {
        if (weight > 0 && !weights.has(codeVersion)) weights.set(codeVersion, 0);
      }
      const reads = [...weights].map(async ([codeVersion, weight]): Promise<readonly WantedVersion[]> => {
        const version = await read(applicationId, codeVersion);
        return version === undefined ? [] : [{ version, weight }];
      });
      return (await Promise.all(reads)).flat();
    },
  };
}

/** The version belongs to another JobHost when settings that its bindings name have changed; the catalog is told. */
async function currentMetadataVersion(
  { catalog, metadataVersionOf }: VersionSourceDeps,
  { applicationId, codeVersion, status }: Version,
  { revision: settingsRevision, ...now }: Omit<MetadataInput, 'hostJson'> & { readonly revision: number },
): Promise<string> {
  if (status.kind !== 'indexed') return '';
  if (status.settingsRevision === settingsRevision) return status.metadataVersion;
  const metadataVersion = await metadataVersionOf({ ...now, hostJson: status.hostJson });
  catalog.versions.setMetadataVersion(applicationId, codeVersion, { metadataVersion, settingsRevision });
  return metadataVersion;
}
