/** What a Runtime says when it joins an installation, and what it is told. */
import { z } from 'zod';

/** A region is a label: letters, digits, dots and dashes. */
export const regionSchema = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/i, 'must be letters, digits, dots and dashes');

export const joinRequestSchema = z.object({
  /** How its process calls itself; the installation makes the id of it. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be small letters, digits and dashes, at most 40'),
  /** Differs at every start of the process. */
  instanceId: z.string().min(1).max(100),
  region: regionSchema.optional(),
  /** Where it takes the requests that the installation hands on. */
  gatewayUrl: z.url({ protocol: /^https?$/ }),
  /** Where its workers connect. */
  rpcUrl: z.url({ protocol: /^https?$/ }),
  maxWorkers: z.int().min(1).max(1_000),
  maxApplications: z.int().min(1).max(1_000_000),
});

export type JoinRequest = z.infer<typeof joinRequestSchema>;

export const joinAnswerSchema = z.object({
  runtimeId: z.string(),
  /** Requests that the installation hands on carry it; nobody else's are taken. */
  gatewayKey: z.string(),
  /** How often it shall report. */
  reportMs: z.number(),
  /** How long a right to listen lasts without a report. */
  listenerMs: z.number(),
});

export type JoinAnswer = z.infer<typeof joinAnswerSchema>;

/** One Runtime of an installation. */
export const runtimeViewSchema = z
  .object({
    id: z.string().describe('What the installation calls it; "local" is the one of its own process.'),
    kind: z.enum(['local', 'started', 'joined']).describe('Who started it: the installation, or somebody else.'),
    state: z.enum(['ready', 'draining']),
    region: z.string().optional(),
    dedicatedTo: z.string().optional().describe('The tenant that it is for alone.'),
    applications: z.array(z.string()),
    workers: z.int().describe('Workers that were given to it.'),
    maxWorkers: z.int(),
    listeners: z.int().describe('Functions whose listeners run there.'),
    memoryUtilization: z.number().optional(),
    url: z.string().optional().describe('Where its workers connect.'),
  })
  .meta({ id: 'Runtime' });

export type RuntimeView = z.infer<typeof runtimeViewSchema>;

export const runtimeListSchema = z
  .object({
    runtimes: z.array(runtimeViewSchema),
    maximum: z.int().describe('How many Runtimes this installation may have.'),
  })
  .meta({ id: 'RuntimeList' });

export type RuntimeList = z.infer<typeof runtimeListSchema>;
