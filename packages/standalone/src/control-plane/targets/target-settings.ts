/** Reads the settings of compute targets and other adapters out of the environment: they hold addresses and secrets. */
import type { z } from 'zod';
import { targetErrors } from '../errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the variables that begin with `prefix` say, by the rest of their names in lower case; undefined when there is none.
 * @throws PlatformError TARGET_SETTING_INVALID, which names the variable and never its value
 */
export function readTargetSettings<T>(environment: Environment, prefix: string, schema: z.ZodType<T>): T | undefined {
  const given = Object.entries(environment).flatMap(([name, value]) =>
    name.startsWith(prefix) && value !== undefined && value !== ''
      ? [[name.slice(prefix.length).toLowerCase(), value] as const]
      : [],
  );
  if (given.length === 0) return undefined;
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const name = String(unknown ?? issue?.path[0] ?? '');
  const reason = unknown === undefined ? (issue?.message ?? 'it cannot be used') : 'there is no such setting';
  throw targetErrors.create('TARGET_SETTING_INVALID', { variable: `${prefix}${name.toUpperCase()}`, reason });
}
