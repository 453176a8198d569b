/** The job protocol, version 1: what masters and node agents say to each other over HTTP. */
export { eventStreamType, formatEvent, heartbeatText, readEvents } from '../event-stream/event-stream.ts';
export { type AgentHealth, type AgentInfo, agentHealthSchema, agentInfoSchema } from './agent-status.ts';
export { formatImageReference, type ImageReference, parseImageReference } from './image-reference.ts';
export { type JobError, type JobErrorCode, jobErrorCodes, jobErrorMeanings, jobErrorSchema } from './job-error.ts';
export { type JobLogEvent, type JobLogName, jobLogSchemas, parseJobLogEvent } from './job-logs.ts';
export {
  acceptedSchema,
  type Cancellation,
  cancellationSchema,
  type EffectiveLimits,
  isFinalJobState,
  type JobAccepted,
  type JobList,
  type JobRecord,
  type JobRejected,
  type JobState,
  type JobSummary,
  jobListSchema,
  jobNotFoundSchema,
  jobRecordSchema,
  jobStateEdges,
  jobStates,
  jobSummarySchema,
  type ResolvedImage,
  refusalSchema,
  rejectedSchema,
} from './job-record.ts';
export {
  defaultAgentPort,
  isContextPath,
  type JobBuild,
  type JobLimits,
  type JobRequest,
  type JobRequestInput,
  type JobRequestReading,
  type JobRuntime,
  jobProtocolVersion,
  jobRequestSchema,
  parseJobRequest,
} from './job-request.ts';
export { type OpenApiDocument, toOpenApi } from './open-api.ts';
