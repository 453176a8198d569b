import type { z } from 'zod';
import { controlErrors } from '../errors.ts';
import { RequestRefused } from './problem.ts';

/** Input as its schema has it. The value at fault is not quoted: it may be a secret. @throws RequestRefused */
export function readInput<Value>(where: 'query' | 'body', schema: z.ZodType<Value>, input: unknown): Value {
  const reading = schema.safeParse(input);
  if (reading.success) return reading.data;
  const [issue] = reading.error.issues;
  const path = (issue?.path ?? []).map(String).join('.');
  const details = {
    where,
    at: path === '' ? '' : ` at '${path.slice(0, 200)}'`,
    reason: issue?.message ?? 'it is wrong',
  };
  throw new RequestRefused(controlErrors.create('CONTROL_INPUT_INVALID', details), path === '' ? {} : { path });
}
