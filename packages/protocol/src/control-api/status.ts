/** `/v1/apps/{app}/status`. */
import { z } from 'zod';
import { applicationSchema } from './applications.ts';
import { codeVersionSchema, timeSchema } from './names.ts';

export const workerViewSchema = z
  .object({
    workerId: z.string(),
    codeVersion: codeVersionSchema,
    state: z.string(),
    inFlight: z.int().min(0),
    runtimeName: z.string(),
    runtimeVersion: z.string(),
    /** The Runtime that it serves; left out where there is one alone. */
    runtimeId: z.string().exactOptional(),
    /** Processor time so far; left out where it is not measured. */
    cpuMs: z.number().min(0).exactOptional(),
    /** Left out where it is not measured. */
    memoryBytes: z.number().min(0).exactOptional(),
  })
  .meta({ id: 'Worker' });

export const functionViewSchema = z
  .object({
    name: z.string(),
    /** The trigger's binding type. */
    trigger: z.string(),
    disabled: z.boolean(),
    /** HTTP functions: the path with its prefix, and the methods (empty means all). */
    route: z.object({ template: z.string(), methods: z.array(z.string()), authLevel: z.string() }).exactOptional(),
    /** Why the function cannot run. */
    problem: z.string().exactOptional(),
  })
  .meta({ id: 'Function' });

export const versionStateSchema = z.enum(['pending', 'indexed', 'failed']);

export const versionViewSchema = z
  .object({
    codeVersion: codeVersionSchema,
    /** Left out until the version is indexed. */
    metadataVersion: z.string().exactOptional(),
    state: versionStateSchema,
    /** Percent of the traffic. */
    weight: z.int().min(0).max(100),
    createdAt: timeSchema,
    message: z.string(),
    /** Why indexing failed. */
    error: z.string().exactOptional(),
  })
  .meta({ id: 'Version' });

export const statusSchema = z
  .object({
    application: applicationSchema,
    trafficRevision: z.int().min(0),
    /** Newest first. */
    versions: z.array(versionViewSchema),
    workers: z.array(workerViewSchema),
    functions: z.array(functionViewSchema),
    /** What keeps the app from running well. */
    error: z.string().exactOptional(),
  })
  .meta({ id: 'Status' });

export type WorkerView = z.infer<typeof workerViewSchema>;
export type FunctionView = z.infer<typeof functionViewSchema>;
export type VersionState = z.infer<typeof versionStateSchema>;
export type VersionView = z.infer<typeof versionViewSchema>;
export type StatusView = z.infer<typeof statusSchema>;
