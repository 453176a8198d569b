/** What all compute targets make of shares of traffic. Pure. */
import type { TrafficShare } from '@switchyard/protocol/control-api';

/** The version with the most traffic; empty when there is none. */
export function heaviestOf(shares: readonly TrafficShare[]): string {
  const [first] = [...shares].sort((left, right) => right.weight - left.weight);
  return first?.version ?? '';
}

/** Those that have any traffic. */
export function servingOf(shares: readonly TrafficShare[]): readonly TrafficShare[] {
  return shares.filter(({ weight }) => weight > 0);
}

/** True for the same versions with the same weights, in whatever order. */
export function areSameShares(left: readonly TrafficShare[], right: readonly TrafficShare[]): boolean {
  const weightOf = new Map(servingOf(left).map(({ version, weight }) => [version, weight]));
  const others = servingOf(right);
  return others.length === weightOf.size && others.every(({ version, weight }) => weightOf.get(version) === weight);
}

/**
 * Divides replicas among versions by their weights; each that has traffic gets one at least, so there may be more in all.
 * A version without traffic gets one: it stands by.
 */
export function shareReplicas(
  versions: readonly string[],
  shares: readonly TrafficShare[],
  total: number,
): ReadonlyMap<string, number> {
  const weightOf = new Map(servingOf(shares).map(({ version, weight }) => [version, weight]));
  const exact = versions.map((version) => ({ version, part: (total * (weightOf.get(version) ?? 0)) / 100 }));
  const counts = new Map(exact.map(({ version, part }) => [version, Math.floor(part)]));
  const given = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const byRest = exact
    .filter(({ version }) => weightOf.has(version))
    .sort((left, right) => (right.part % 1) - (left.part % 1) || (left.version < right.version ? -1 : 1));
  const isWhole = versions.some((version) => weightOf.has(version));
  for (const { version } of byRest.slice(0, isWhole ? Math.max(0, total - given) : 0)) {
    counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  return new Map([...counts].map(([version, count]) => [version, Math.max(1, count)]));
}
