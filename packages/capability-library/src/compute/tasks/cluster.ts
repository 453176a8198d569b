import { asInteger, asList, asNumber, refuseParameter } from '../../parameters.ts';

const maxPoints = 100_000;
const maxDimensions = 256;
const maxRounds = 200;

/** Groups of points that lie together. */
export interface Clusters {
  readonly centres: number[][];
  /** For each point, the place of its centre. */
  readonly assignments: number[];
  readonly rounds: number;
}

/** Groups points by k-means; the first centres lie far from one another, so the same points give the same groups. */
export function cluster(points: unknown, count: unknown): Clusters {
  const all = asList(points, 'The points', maxPoints).map((point) =>
    asList(point, 'A point', maxDimensions).map((value) => asNumber(value, 'A value of a point')),
  );
  const size = all[0]?.length ?? 0;
  if (size === 0 || all.some((point) => point.length !== size))
    refuseParameter('The points', 'they are missing, empty or of different lengths');
  const centres = farApart(all, asInteger(count, 'The number of clusters', 1, Math.min(1_000, all.length)));
  let assignments: number[] = [];
  for (let round = 1; ; round += 1) {
    const next = all.map((point) => nearest(point, centres).index);
    const same = next.every((centre, index) => centre === assignments[index]);
    assignments = next;
    if (same || round === maxRounds) return { centres, assignments, rounds: round };
    moveCentres(centres, all, assignments);
  }
}

function farApart(points: readonly (readonly number[])[], count: number): number[][] {
  const centres = [[...(points[0] ?? [])]];
  while (centres.length < count) {
    const distances = points.map((point) => nearest(point, centres).distance);
    const furthest = distances.reduce((best, distance, index) => (distance > (distances[best] ?? 0) ? index : best), 0);
    centres.push([...(points[furthest] ?? [])]);
  }
  return centres;
}

function nearest(
  point: readonly number[],
  centres: readonly (readonly number[])[],
): { index: number; distance: number } {
  let best = { index: 0, distance: Number.POSITIVE_INFINITY };
  centres.forEach((centre, index) => {
    let distance = 0;
    for (let axis = 0; axis < point.length; axis += 1) distance += ((point[axis] ?? 0) - (centre[axis] ?? 0)) ** 2;
    if (distance < best.distance) best = { index, distance };
  });
  return best;
}

/** A centre without points stays where it is. */
function moveCentres(
  centres: number[][],
  points: readonly (readonly number[])[],
  assignments: readonly number[],
): void {
  const sums = centres.map((centre) => centre.map(() => 0));
  const counts = centres.map(() => 0);
  points.forEach((point, index) => {
    const centre = assignments[index] ?? 0;
    counts[centre] = (counts[centre] ?? 0) + 1;
    point.forEach((value, axis) => {
      const sum = sums[centre];
      if (sum !== undefined) sum[axis] = (sum[axis] ?? 0) + value;
    });
  });
  sums.forEach((sum, centre) => {
    const members = counts[centre] ?? 0;
    if (members > 0) centres[centre] = sum.map((value) => value / members);
  });
}
