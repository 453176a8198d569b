/** Versions of languages: numbers with dots. `20`, `v20.11`, `~20` and `20.x` all mean the newest 20. */

const maxParts = 8;

/** The numbers of a version, or nothing when the text is none. */
function partsOf(version: string): readonly number[] {
  const text = version
    .trim()
    .replace(/^[~^v]+/i, '')
    .replace(/(\.[x*])+$/i, '');
  return /^\d{1,9}(\.\d{1,9})*/.exec(text)?.[0].split('.', maxParts).map(Number) ?? [];
}

/** True when `version` is `wanted`, or one of the versions that it stands for: `3.11` covers `3.11.7`, not `3.1`. */
export function coversVersion(wanted: string, version: string): boolean {
  const wantedParts = partsOf(wanted);
  const parts = partsOf(version);
  return wantedParts.length > 0 && wantedParts.every((part, index) => parts[index] === part);
}

/** Negative when `a` is the older one; a missing part is a zero. */
export function compareVersions(a: string, b: string): number {
  const left = partsOf(a);
  const right = partsOf(b);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The entry of a list of supported versions that a program's version falls under; the most exact one. */
export function supportedVersionOf(supported: readonly string[], version: string): string | undefined {
  const covering = supported.filter((entry) => coversVersion(entry, version));
  return covering.sort((a, b) => partsOf(b).length - partsOf(a).length)[0];
}
