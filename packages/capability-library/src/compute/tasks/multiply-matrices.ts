import { asList, asNumber, refuseParameter } from '../../parameters.ts';

const maxSide = 1_000;

/** A matrix as its rows. */
export type Matrix = readonly (readonly number[])[];

/** The product of two matrices. */
export function multiplyMatrices(left: unknown, right: unknown): number[][] {
  const a = asMatrix(left, 'The first matrix');
  const b = asMatrix(right, 'The second matrix');
  const inner = b.length;
  const width = b[0]?.length ?? 0;
  if (a[0]?.length !== inner)
    refuseParameter('The second matrix', `it has ${inner} rows, and the first has ${a[0]?.length ?? 0} columns`);
  const columns = Float64Array.from({ length: width * inner }, (_, place) => {
    return b[place % inner]?.[Math.floor(place / inner)] ?? 0;
  });
  return a.map((row) =>
    Array.from({ length: width }, (_, column) => {
      let sum = 0;
      for (let index = 0; index < inner; index += 1) sum += (row[index] ?? 0) * (columns[column * inner + index] ?? 0);
      return sum;
    }),
  );
}

function asMatrix(value: unknown, what: string): Matrix {
  const rows = asList(value, what, maxSide).map((row) => asList(row, `A row of ${what}`, maxSide));
  const width = rows[0]?.length ?? 0;
  if (width === 0) refuseParameter(what, 'it is empty');
  if (rows.some((row) => row.length !== width)) refuseParameter(what, 'its rows have different lengths');
  return rows.map((row) => row.map((item) => asNumber(item, `A value of ${what}`)));
}
