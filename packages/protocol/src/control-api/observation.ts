/** Looking at an app at work: `logs`, `trace` and `debug`. */
import { z } from 'zod';
import { timeSchema } from './names.ts';

export const logLevelSchema = z.enum(['trace', 'debug', 'information', 'warning', 'error', 'critical']);

/** One line of an app: its functions', its workers' consoles', or the platform's own about it. */
export const logLineSchema = z
  .object({
    at: timeSchema,
    level: logLevelSchema,
    message: z.string(),
    category: z.string().exactOptional(),
    functionName: z.string().exactOptional(),
    invocationId: z.string().exactOptional(),
    workerId: z.string().exactOptional(),
    codeVersion: z.string().exactOptional(),
  })
  .meta({ id: 'LogLine' });

/** Events `line`. Without `follow` the stream ends after the lines that are kept. */
export const logsQuerySchema = z.strictObject({
  follow: z.string().exactOptional(),
  /** How many of the kept lines to begin with. */
  tail: z.coerce.number().int().min(0).max(10_000).exactOptional(),
  /** This level and those above it. */
  level: logLevelSchema.exactOptional(),
});

/** One frame between a worker and its Runtime. Bodies are never shown. */
export const traceFrameSchema = z
  .object({
    at: timeSchema,
    workerId: z.string(),
    direction: z.enum(['toWorker', 'toRuntime']),
    /** The name of the message's content, for example `invocationRequest`. */
    type: z.string(),
    /** The invocation, the function or the request that it belongs to. */
    id: z.string().exactOptional(),
    sizeBytes: z.int().min(0),
  })
  .meta({ id: 'TraceFrame' });

/** Events `frame`; an event `dropped` says how many were left out, because the reader was too slow. */
export const traceQuerySchema = z.strictObject({ worker: z.string().max(200).exactOptional() });

export const droppedSchema = z.object({ count: z.int().min(1) }).meta({ id: 'Dropped' });

/** Without a worker: any that is ready. */
export const debugRequestSchema = z
  .strictObject({ workerId: z.string().max(200).exactOptional() })
  .meta({ id: 'DebugRequest' });

export const debugAnswerSchema = z
  .object({ workerId: z.string(), inspectorUrl: z.string() })
  .meta({ id: 'DebugAnswer' });

export type LogLine = z.infer<typeof logLineSchema>;
export type LogsQuery = z.infer<typeof logsQuerySchema>;
export type TraceFrame = z.infer<typeof traceFrameSchema>;
export type TraceQuery = z.infer<typeof traceQuerySchema>;
export type Dropped = z.infer<typeof droppedSchema>;
export type DebugRequest = z.infer<typeof debugRequestSchema>;
export type DebugAnswer = z.infer<typeof debugAnswerSchema>;
