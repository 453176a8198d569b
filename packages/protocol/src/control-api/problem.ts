import { z } from 'zod';

/** Every answer that is no success. */
export const problemSchema = z
  .object({
    /** Upper case words joined by underscores; see docs/errors.md. */
    code: z.string(),
    /** What happened, with which value, and why. */
    message: z.string(),
    /** What to do about it; empty when the message says all. */
    fix: z.string(),
    /** The value at fault, as a path into the body or the query. */
    path: z.string().exactOptional(),
    /** With 409: the revision that the thing has now. */
    currentRevision: z.int().exactOptional(),
  })
  .meta({ id: 'Problem', description: 'What went wrong and what to do about it.' });

export type Problem = z.infer<typeof problemSchema>;

/** The content type of problems. */
export const problemType = 'application/problem+json';
