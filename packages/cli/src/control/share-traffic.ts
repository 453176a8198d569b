/** What `traffic` and `rollback` send and show. */
import type { StatusView, TrafficView, Weight } from '@switchyard/protocol/control-api';
import { controlErrors } from './errors.ts';
import { resolveVersion } from './resolve-version.ts';
import { toTable } from './table.ts';

/** A share as the user wrote it. */
export interface WrittenShare {
  readonly version: string;
  readonly weight: number;
}

/** Reads `VERSION=PERCENT`. Throws WEIGHT_INVALID, also when the shares do not add up to 100. */
export function parseShares(words: readonly string[]): readonly WrittenShare[] {
  const shares = words.map((text) => {
    const [, version, percent] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (version === undefined || percent === undefined) throw invalid(text, 'it has no version or no percentage');
    const weight = /^\d{1,3}$/.test(percent) ? Number(percent) : Number.NaN;
    if (!(weight <= 100)) throw invalid(text, 'the percentage must be a whole number from 0 to 100');
    return { version, weight };
  });
  const sum = shares.reduce((total, { weight }) => total + weight, 0);
  if (shares.length > 0 && sum !== 100) throw invalid(words.join(' '), `the shares add up to ${sum}, not to 100`);
  return shares;
}

/** The shares with the full names of their versions. Throws CONTROL_VERSION_UNKNOWN, CONTROL_VERSION_AMBIGUOUS or WEIGHT_INVALID. */
export function toWeights(status: StatusView, shares: readonly WrittenShare[]): Weight[] {
  const weights = new Map<string, number>();
  for (const { version, weight } of shares) {
    const codeVersion = resolveVersion(status, version);
    if (weights.has(codeVersion)) throw invalid(`${version}=${weight}`, `version ${codeVersion} is given twice`);
    weights.set(codeVersion, weight);
  }
  return [...weights].map(([codeVersion, weight]) => ({ codeVersion, weight }));
}

/** A table of versions and their shares. */
export function describeTraffic(app: string, { weights }: TrafficView): string {
  if (weights.length === 0) return `App '${app}' has no traffic yet: deploy a version.\n`;
  return toTable(
    ['VERSION', 'TRAFFIC'],
    weights.map(({ codeVersion, weight }) => [codeVersion, `${weight}%`]),
  );
}

function invalid(text: string, reason: string): Error {
  return controlErrors.create('WEIGHT_INVALID', { text: text.slice(0, 200), reason });
}
