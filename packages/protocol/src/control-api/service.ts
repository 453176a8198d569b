/** What the control API says of itself: `/health`, `/.well-known/jwks.json`. */
import { z } from 'zod';

export const healthSchema = z.object({ status: z.enum(['healthy', 'draining']) }).meta({ id: 'Health' });

/** Public keys (RFC 7517). */
export const publicKeysSchema = z
  .object({ keys: z.array(z.record(z.string(), z.unknown())) })
  .meta({ id: 'PublicKeys' });

/** The document of the API: OpenAPI 3.1. */
export const openApiDocumentSchema = z
  .object({ openapi: z.string(), info: z.record(z.string(), z.unknown()), paths: z.record(z.string(), z.unknown()) })
  .meta({ id: 'OpenApiDocument' });

export type Health = z.infer<typeof healthSchema>;
export type PublicKeys = z.infer<typeof publicKeysSchema>;
