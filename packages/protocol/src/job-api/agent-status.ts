/** What an agent says of itself. */
import { z } from 'zod';

export const agentInfoSchema = z.object({
  worker_id: z.string(),
  hostname: z.string(),
  protocol_version: z.int(),
  cpu_cores: z.int(),
  cpu_threads: z.int(),
  memory_mb: z.int(),
  labels: z.array(z.string()),
  version: z.string(),
  os: z.string(),
  architecture: z.string(),
  modes: z.array(z.enum(['image', 'build'])),
  store: z.enum(['memory', 'sqlite']),
  driver: z.object({
    name: z.string(),
    available: z.boolean(),
    version: z.string().nullable(),
    /** Why it is not available. */
    reason: z.string().nullable(),
  }),
});

export const agentHealthSchema = z.object({
  /** `degraded`: the container engine does not answer. `draining`: the agent takes no more jobs. */
  status: z.enum(['ok', 'degraded', 'draining']),
  uptime_seconds: z.int(),
  /** Over 1, 5 and 15 minutes; zeros where the system keeps none. */
  load_average: z.tuple([z.number(), z.number(), z.number()]),
  running_jobs: z.int(),
  max_concurrent_jobs: z.int(),
  queued_jobs: z.int(),
  max_queued_jobs: z.int(),
  running_pods: z.int(),
  max_pods: z.int(),
  memory_mb: z.int(),
  memory_available_mb: z.int(),
  /** The share of all processors that was busy since the last look, from 0 to 1. */
  cpu_load: z.number(),
  /** Only on a machine with a sensor. */
  temperature_c: z.number().optional(),
});

export type AgentInfo = z.infer<typeof agentInfoSchema>;
export type AgentHealth = z.infer<typeof agentHealthSchema>;
