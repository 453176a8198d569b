import { asList, asOneOf, asRecord, describe, fieldOf, refuseParameter } from '../parameters.ts';

/** Kinds of tensors that go in and out. */
export const tensorTypes = ['float32', 'int32', 'int64', 'uint8'] as const;

export type TensorType = (typeof tensorTypes)[number];

/** A tensor as callers send and get it. */
export interface TensorData {
  readonly type: TensorType;
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

/** More values than this do not go in at once. */
export const maxTensorValues = 1_000_000;

const maxDimensions = 8;

/** Checks a tensor of a caller. Fails with PARAMETER_INVALID. */
export function asTensor(value: unknown, what: string): TensorData {
  const record = asRecord(value, what);
  const type = asOneOf(fieldOf(record, 'type') ?? 'float32', `The type of ${what}`, tensorTypes);
  const dims = asList(fieldOf(record, 'dims'), `The dims of ${what}`, maxDimensions).map((size) => {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1)
      refuseParameter(`The dims of ${what}`, `they hold ${describe(size)}, and must be whole numbers above 0`);
    return size;
  });
  const count = dims.reduce((product, size) => product * size, 1);
  if (count > maxTensorValues) refuseParameter(what, `it has more than ${maxTensorValues} values`);
  const data = asList(fieldOf(record, 'data'), `The data of ${what}`, maxTensorValues);
  if (data.length !== count) refuseParameter(what, `its dims mean ${count} values, and its data has ${data.length}`);
  return { type, dims, data: data.map((item) => asValue(item, type, what)) };
}

function asValue(value: unknown, type: TensorType, what: string): number {
  const fits =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (type === 'float32' || Number.isSafeInteger(value)) &&
    (type !== 'uint8' || (value >= 0 && value <= 255)) &&
    (type !== 'int32' || value === (value | 0));
  if (!fits) refuseParameter(what, `it holds ${describe(value)}, which is no ${type}`);
  return value as number;
}
