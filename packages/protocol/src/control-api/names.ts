/** The names that stand in paths and bodies of the control API. */
import { z } from 'zod';

/** A DNS label of at most 40 characters. */
const label = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

export const applicationIdSchema = z
  .string()
  .regex(label, 'must be a DNS label of at most 40 characters: a-z, 0-9 and dashes, no dash at either end')
  .meta({ description: 'The name of an app, unique in the installation.' });

export const tenantIdSchema = z
  .string()
  .regex(label, 'must be a DNS label of at most 40 characters: a-z, 0-9 and dashes, no dash at either end')
  .meta({ description: 'The name of the tenant that owns an app.' });

export const hostNameSchema = z
  .string()
  .max(253)
  .regex(
    /^(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/,
    'must be a DNS name in lower case, without port, path or wildcard',
  )
  .meta({ description: 'A host name that the app answers to, beside <app>.localhost.' });

export const functionNameSchema = z
  .string()
  .regex(/^[A-Za-z][\w-]{0,126}$/, 'must start with a letter and hold letters, digits, "_" and "-" only');

/** The SHA-256 of a package, 64 hexadecimal digits in lower case. */
export const packageHashSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the package: 64 hexadecimal digits in lower case');

/** How many digits of a package's hash name a version. */
export const codeVersionLength = 16;

export const codeVersionSchema = z
  .string()
  .regex(/^[0-9a-f]{16}$/, 'must be 16 hexadecimal digits in lower case: the start of the SHA-256 of the package')
  .meta({ description: 'The first 16 digits of the SHA-256 of the package.' });

/** The codeVersion of the package with this hash. */
export function toCodeVersion(sha256: string): string {
  return sha256.slice(0, codeVersionLength);
}

export const deploymentIdSchema = z.uuid();

/** Grows with every write; a writer that names another one than the current is refused with 409. */
export const revisionSchema = z.int().min(0);

/** A time, as ISO 8601 in UTC with milliseconds. */
export const timeSchema = z.iso.datetime({ precision: 3 });

/** What a worker must be to serve an app. Left out parts take the installation's defaults. */
export const stackRequestSchema = z.strictObject({
  runtime: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be a language runtime such as node, python or java'),
  version: z.string().max(40).exactOptional(),
  architecture: z.enum(['x64', 'arm64']).exactOptional(),
});

export const stackSchema = z
  .object({ runtime: z.string(), version: z.string(), architecture: z.string() })
  .meta({ id: 'Stack' });

export type StackRequest = z.infer<typeof stackRequestSchema>;
