/** The names and values that the records of the control plane share. */
import { z } from 'zod';

/** One name of the domain: letters, digits, dashes, dots and underscores; no record is called like a property of objects. */
const name = /^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$/;

const nameRule =
  'must be at most 100 characters of a-z, 0-9, ".", "_" and "-", and begin and end with a letter or digit';

export const environmentIdSchema = z.string().regex(name, nameRule);

export const serviceIdSchema = z.string().regex(name, nameRule);

export const configurationIdSchema = z.string().regex(name, nameRule);

export const secretBindingIdSchema = z.string().regex(name, nameRule);

export const targetNameSchema = z.string().regex(name, nameRule);

/** Names a version of a service at its target: a codeVersion, an image tag, a revision. */
export const serviceVersionSchema = z
  .string()
  .regex(/^[A-Za-z0-9][\w.:/@+-]{0,254}$/, 'must be at most 255 characters of letters, digits and . _ : / @ + -');

/** Milliseconds since the Unix epoch. */
export const timeMsSchema = z.number().min(0);

/** A span in milliseconds. */
export const durationMsSchema = z
  .int()
  .min(0)
  .max(366 * 24 * 60 * 60_000);

export const traceSchema = z.object({
  traceId: z.string(),
  correlationId: z.string(),
  causationId: z.string().exactOptional(),
  /** How many events lie between the first cause and this. */
  depth: z.int().min(0),
});

export type Trace = z.infer<typeof traceSchema>;
