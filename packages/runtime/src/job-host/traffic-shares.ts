import type { ApplicationDefinition } from '@switchyard/model';
import type { TrafficShare } from '../contract.ts';
import { runtimeErrors } from '../errors.ts';
import { fullWeight } from './traffic-split.ts';

/**
 * Checks how an app's traffic is to be spread over the versions that there are, and tells which metadata version gets it.
 * @throws PlatformError TRAFFIC_WEIGHTS_INVALID, TRAFFIC_VERSION_UNKNOWN, TRAFFIC_METADATA_MIXED
 */
export function checkShares(
  applicationId: string,
  shares: readonly TrafficShare[],
  known: readonly ApplicationDefinition[],
): string {
  const invalid = (problem: string): Error =>
    runtimeErrors.create('TRAFFIC_WEIGHTS_INVALID', { applicationId, problem });
  const names = new Set<string>();
  let sum = 0;
  for (const share of shares) {
    const name = versionName(share);
    const { weight } = share;
    if (names.has(name)) throw invalid(`'${name}' is named twice`);
    if (!Number.isInteger(weight) || weight < 0 || weight > fullWeight) throw invalid(`'${name}' has ${weight}`);
    names.add(name);
    sum += weight;
  }
  if (sum !== fullWeight) throw invalid(`they sum to ${sum}`);
  const knownNames = new Set(known.map(versionName));
  const unknown = [...names].find((name) => !knownNames.has(name));
  if (unknown !== undefined) {
    const listed = knownNames.size === 0 ? 'none' : [...knownNames].join(', ');
    throw runtimeErrors.create('TRAFFIC_VERSION_UNKNOWN', { applicationId, version: unknown, known: listed });
  }
  return soleMetadataVersion(applicationId, shares);
}

function soleMetadataVersion(applicationId: string, shares: readonly TrafficShare[]): string {
  const served = shares.filter(({ weight }) => weight > 0);
  const one = served[0]?.metadataVersion ?? '';
  const other = served.find(({ metadataVersion }) => metadataVersion !== one)?.metadataVersion;
  if (other !== undefined) throw runtimeErrors.create('TRAFFIC_METADATA_MIXED', { applicationId, one, other });
  return one;
}

/** A version of an app as errors name it. */
export function versionName({ metadataVersion, codeVersion }: Omit<ApplicationDefinition, 'applicationId'>): string {
  return `${metadataVersion}/${codeVersion}`;
}
