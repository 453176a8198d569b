import { z } from 'zod';

/**
 * Every code that a job's `error` can carry, with what it means. The codes of the protocol documents keep their meaning;
 * the others are additions in the same style. A master that does not know a code treats it as it treats any failure.
 */
export const jobErrorMeanings = {
  INVALID_BODY: 'the request holds no JSON object, or is larger than the agent takes',
  MISSING_JOB_ID: 'job_id is missing',
  INVALID_JOB_ID: 'job_id is no text that can name a job',
  UNSUPPORTED_PROTOCOL_VERSION: 'protocol_version is missing, or another one than 1',
  INVALID_TASK: 'task is not {type, payload}',
  MISSING_RUNTIME: 'runtime is missing',
  INVALID_RUNTIME: 'a field of runtime, or labels, has a wrong type or value',
  BAD_RUNTIME_MODE: 'runtime.mode is missing, or neither image nor build',
  RUNTIME_NOT_SUPPORTED: 'this agent does not run jobs of that mode or lifecycle',
  MISSING_IMAGE: 'mode image without runtime.image',
  INVALID_IMAGE: 'runtime.image is no image reference',
  IMAGE_NOT_ALLOWED: 'the image, or one that a Dockerfile builds upon, is not on the allow list',
  INVALID_BUILD: 'mode build without a usable runtime.build',
  INVALID_LIMITS: 'runtime.limits has a wrong type or value',
  LIMIT_EXCEEDED: 'runtime.limits asks for more than this agent grants',
  NETWORK_NOT_ALLOWED: 'runtime.network is not one that this agent allows',
  JOB_ID_ALREADY_EXISTS: 'this agent knows a job of that id already',
  QUEUE_FULL: 'as many jobs wait as this agent lets wait',
  AGENT_DRAINING: 'the agent is about to stop and takes no more jobs',
  RUNTIME_ERROR: 'the program ended with an exit code other than 0, or could not be started',
  TIMEOUT: 'the job ran longer than max_runtime_seconds',
  OUT_OF_MEMORY: 'the kernel ended the job because it needed more than memory_mb',
  CANCELLED: 'somebody cancelled the job',
  IMAGE_UNAVAILABLE: 'the image is not on this machine, and could not or must not be pulled',
  BUILD_FAILED: 'the Dockerfile could not be built',
  DOCKER_ERROR: 'the container engine failed, or cannot be reached',
  UNAUTHORIZED: 'the agent wants a bearer token, and the request has none or a wrong one',
  CROSS_ORIGIN: 'a web page sent the request; pages must not start or cancel jobs',
  NOT_FOUND: 'the agent has no such path',
  METHOD_NOT_ALLOWED: 'the path exists, and does not take that method',
  INVALID_QUERY: 'a query parameter has a value that cannot be used',
  INTERNAL_ERROR: 'the agent failed; its log says more',
} as const;

export type JobErrorCode = keyof typeof jobErrorMeanings;

/** All codes. */
export const jobErrorCodes: readonly JobErrorCode[] = Object.keys(jobErrorMeanings) as JobErrorCode[];

/** Why a job was rejected or failed. */
export interface JobError {
  readonly code: JobErrorCode;
  /** What happened, with which value, why, and how to mend it. */
  readonly message: string;
}

/** As it arrives: an agent of a later version may know more codes. */
export const jobErrorSchema = z.object({ code: z.string(), message: z.string() });
