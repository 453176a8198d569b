/**
 * The body of `POST /jobs`, version 1. Fields that the protocol documents do not name are additions: a master of
 * version 1 leaves them out and gets what the documents promise. Fields that nobody knows are ignored.
 */
import { z } from 'zod';
import { parseImageReference } from './image-reference.ts';
import type { JobError, JobErrorCode } from './job-error.ts';

/** The only version of the protocol. */
export const jobProtocolVersion = 1;

/** The port on which agents listen unless told otherwise. */
export const defaultAgentPort = 9000;

const maxJobIdLength = 200;
const maxWords = 1_000;
const maxTextLength = 131_000;
const maxContextFiles = 2_000;
const maxPathLength = 1_024;
const maxLabels = 32;
const maxPorts = 32;
/** The least that a container engine accepts. */
const minMemoryMb = 6;

const withoutNul = (text: string): boolean => !text.includes('\0');

/** Words of a command: an argument cannot hold a zero byte, and not more than the kernel takes. */
const argument = z.string().max(maxTextLength).refine(withoutNul, 'must hold no zero byte');

/** Texts by name; `__proto__` and names that an environment cannot hold are refused. */
function textMap(what: string, maximum: number): z.ZodType<Readonly<Record<string, string>>> {
  const isName = (name: string): boolean => /^[^=\0]{1,512}$/.test(name) && name !== '__proto__';
  return z
    .unknown()
    .superRefine((value, context) => {
      const fail = (message: string, path: string[] = []): void => {
        context.addIssue({ code: 'custom', message, path });
      };
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(`must map ${what} to texts`);
      const entries = Object.entries(value);
      if (entries.length > maximum) return fail(`must hold at most ${maximum} entries, not ${entries.length}`);
      for (const [name, text] of entries) {
        if (!isName(name)) fail(`'${shorten(name)}' is no name: it must not be empty, nor hold '=' or a zero byte`);
        else if (!argument.safeParse(text).success)
          fail(`must be a text of at most ${maxTextLength} characters without a zero byte`, [name]);
      }
    })
    .transform((value) => ({ ...(value as Record<string, string>) }))
    .meta({ type: 'object', additionalProperties: { type: 'string' } });
}

/** How much is too much is each agent's to say: its maximums are in its configuration. */
export const jobLimitsSchema = z.object({
  memory_mb: z.int().min(minMemoryMb).optional(),
  max_runtime_seconds: z.int().min(1).optional(),
  cpus: z.number().min(0.01).optional(),
  pids: z.int().min(1).optional(),
});

const contextFileSchema = z.union([z.string(), z.object({ base64: z.base64() })]);

const buildPath = z
  .string()
  .min(1)
  .max(maxPathLength)
  .refine((path) => isContextPath(path), "must be a relative path without '..'");

export const jobBuildSchema = z.object({
  dockerfile: z.string().min(1).max(maxTextLength),
  context: z
    .record(buildPath, contextFileSchema)
    .refine((files) => Object.keys(files).length <= maxContextFiles, `must hold at most ${maxContextFiles} files`)
    .optional(),
  target: z.string().min(1).max(128).optional(),
  args: textMap('names', maxWords).optional(),
});

const restartSchema = z.object({
  policy: z.enum(['never', 'on_failure', 'always']),
  max_restarts: z.int().min(0).max(1_000_000).optional(),
});

const healthSchema = z.object({
  cmd: z.array(argument).min(1).max(maxWords),
  interval_seconds: z.int().min(1).max(3_600).default(10),
  timeout_seconds: z.int().min(1).max(3_600).default(5),
  retries: z.int().min(1).max(100).default(3),
  start_period_seconds: z.int().min(0).max(3_600).default(0),
});

export const jobRuntimeSchema = z.object({
  mode: z.enum(['image', 'build']),
  image: z
    .string()
    .refine((text) => parseImageReference(text) !== undefined, 'is no image reference such as busybox:1.36')
    .optional(),
  build: jobBuildSchema.optional(),
  cmd: z.array(argument).max(maxWords).default([]),
  env: textMap('names', maxWords).default({}),
  limits: jobLimitsSchema.default({}),
  pull_policy: z.enum(['always', 'missing', 'never']).optional(),
  network: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/)
    .optional(),
  lifecycle: z.enum(['job', 'pod']).default('job'),
  restart: restartSchema.default({ policy: 'never' }),
  health: healthSchema.optional(),
  ports: z.array(z.int().min(1).max(65_535)).max(maxPorts).default([]),
});

export const jobRequestSchema = z.object({
  protocol_version: z.literal(jobProtocolVersion),
  job_id: z
    .string()
    .min(1)
    .max(maxJobIdLength)
    .refine(isJobId, "must hold no control characters, and be neither '.' nor '..'"),
  task: z
    .object({
      type: z.string().max(1_024).refine(withoutNul, 'must hold no zero byte').default(''),
      payload: z.unknown().optional(),
    })
    .default({ type: '' }),
  runtime: jobRuntimeSchema,
  labels: textMap('names', maxLabels).default({}),
});

/** A job as a master sends it, checked, with the protocol's own defaults filled in. */
export type JobRequest = z.infer<typeof jobRequestSchema>;
/** The same before the defaults are filled in. */
export type JobRequestInput = z.input<typeof jobRequestSchema>;
export type JobRuntime = JobRequest['runtime'];
export type JobBuild = z.infer<typeof jobBuildSchema>;
export type JobLimits = z.infer<typeof jobLimitsSchema>;

/** What a body is. */
export type JobRequestReading =
  | { readonly kind: 'valid'; readonly request: JobRequest }
  /** `jobId` is what the body says, when it says one. */
  | { readonly kind: 'rejected'; readonly jobId: string | null; readonly error: JobError };

/** Reads the parsed JSON of a `POST /jobs`. Never throws. */
export function parseJobRequest(given: unknown): JobRequestReading {
  const body = withoutNulls(given);
  const jobId = jobIdOf(body);
  const rejected = (code: JobErrorCode, message: string): JobRequestReading => {
    return { kind: 'rejected', jobId, error: { code, message } };
  };
  const parsed = jobRequestSchema.safeParse(body);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => classify(body, issue.path, problemOf(issue)));
    const [first] = issues.sort((left, right) => left.rank - right.rank);
    return rejected(first?.code ?? 'INVALID_BODY', first?.message ?? 'The body is no job.');
  }
  const request = parsed.data;
  const conflict = findConflict(request);
  return conflict === undefined ? { kind: 'valid', request } : rejected(conflict.code, conflict.message);
}

/** True for a path inside a build context. */
export function isContextPath(path: string): boolean {
  return withoutNul(path) && !path.startsWith('/') && !path.split(/[\\/]/).some((part) => part === '..' || part === '');
}

/** The objects whose fields may be left out. */
const objectPaths = ['', 'task', 'runtime', 'runtime.limits', 'runtime.build', 'runtime.restart', 'runtime.health'];

/** Fields whose null is a value, or says more than that they are missing. */
const keptNulls = new Set(['job_id', 'protocol_version', 'task.payload', 'runtime.mode']);

/** Many a master writes null for what it leaves out: its language has no other word for it. */
function withoutNulls(value: unknown, path = ''): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !objectPaths.includes(path)) return value;
  const entries = Object.entries(value).flatMap(([name, field]): readonly (readonly [string, unknown])[] => {
    const place = path === '' ? name : `${path}.${name}`;
    return field === null && !keptNulls.has(place) ? [] : [[name, withoutNulls(field, place)]];
  });
  return Object.fromEntries(entries);
}

/** What the fields say together. */
function findConflict({ runtime }: JobRequest): JobError | undefined {
  if (runtime.mode === 'image' && runtime.image === undefined)
    return { code: 'MISSING_IMAGE', message: "runtime.image is missing: mode 'image' runs an image. Name one." };
  if (runtime.mode === 'build' && runtime.build === undefined)
    return { code: 'INVALID_BUILD', message: "runtime.build is missing: mode 'build' needs {dockerfile, context}." };
  if (runtime.lifecycle === 'pod' && runtime.limits.max_runtime_seconds !== undefined)
    return {
      code: 'INVALID_LIMITS',
      message: 'runtime.limits.max_runtime_seconds is given for a pod, which runs until it is stopped. Leave it out.',
    };
  const onlyPods = [
    ['restart', runtime.restart.policy !== 'never'],
    ['health', runtime.health !== undefined],
    ['ports', runtime.ports.length > 0],
  ] as const;
  const wrong = runtime.lifecycle === 'job' ? onlyPods.find(([, given]) => given)?.[0] : undefined;
  if (wrong === undefined) return undefined;
  const message = `runtime.${wrong} is for pods. Leave it out, or set runtime.lifecycle to 'pod'.`;
  return { code: 'INVALID_RUNTIME', message };
}

interface Classified extends JobError {
  /** Lower ones are reported first. */
  readonly rank: number;
}

/** Codes by field, in the order in which they are reported; the first that fits counts. */
const codesByPath: readonly (readonly [prefix: string, wrong: JobErrorCode, missing?: JobErrorCode])[] = [
  ['job_id', 'INVALID_JOB_ID', 'MISSING_JOB_ID'],
  ['protocol_version', 'UNSUPPORTED_PROTOCOL_VERSION'],
  ['runtime.mode', 'BAD_RUNTIME_MODE'],
  ['runtime.image', 'INVALID_IMAGE', 'MISSING_IMAGE'],
  ['runtime.build', 'INVALID_BUILD'],
  ['runtime.limits', 'INVALID_LIMITS'],
  ['runtime.', 'INVALID_RUNTIME'],
  ['runtime', 'INVALID_RUNTIME', 'MISSING_RUNTIME'],
  ['task', 'INVALID_TASK'],
  ['labels', 'INVALID_RUNTIME'],
  ['', 'INVALID_BODY'],
];

function classify(body: unknown, path: readonly PropertyKey[], problem: string): Classified {
  const place = path.map(String).join('.');
  const value = valueAt(body, path);
  const rank = codesByPath.findIndex(([prefix]) => place.startsWith(prefix));
  const [, wrong, missing] = codesByPath[rank] ?? ['', 'INVALID_BODY' as const];
  const isAbsent = value === undefined || value === null || value === '';
  const code = isAbsent && missing !== undefined ? missing : wrong;
  if (place === '') return { code, rank, message: 'The body must be a JSON object that describes a job.' };
  if (value === undefined) return { code, rank, message: `${shorten(place)} is missing. ${hintOf(place)}`.trim() };
  const shown = shorten(describe(value));
  return { code, rank, message: `${shorten(place)} cannot be ${shown}: ${problem}. ${hintOf(place)}`.trim() };
}

/** What is wrong; of a name, what is wrong with the name. */
function problemOf(issue: z.core.$ZodIssue): string {
  const [inner] = issue.code === 'invalid_key' ? issue.issues : [];
  return inner?.message ?? issue.message;
}

function hintOf(place: string): string {
  if (place === 'protocol_version') return `This agent speaks version ${jobProtocolVersion} of the protocol.`;
  if (place === 'runtime.mode') return "Use 'image' or 'build'.";
  if (place === 'runtime') return "Say what to run, such as {mode: 'image', image: 'busybox', cmd: ['echo', 'hello']}.";
  if (place === 'job_id') return 'Send a text that is unique on this agent.';
  return '';
}

function jobIdOf(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, 'job_id')) return null;
  const { job_id: jobId } = body as { readonly job_id: unknown };
  return typeof jobId === 'string' && jobId !== '' ? shorten(jobId, maxJobIdLength) : null;
}

function isJobId(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  return text.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(text) && text !== '.' && text !== '..';
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  let value = body;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return value;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return JSON.stringify(value) ?? typeof value;
}

function shorten(text: string, maximum = 80): string {
  return text.length <= maximum ? text : `${text.slice(0, maximum)}...`;
}
