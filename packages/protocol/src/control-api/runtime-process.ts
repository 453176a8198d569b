import { z } from 'zod';

/** A wish to start the process of a worker anew; what it leaves out stays as it is. */
export const restartWishSchema = z
  .strictObject({
    reason: z.string().min(1).max(1_000),
    executable: z.string().min(1).max(4_096).exactOptional(),
    /** In front of the worker's path. */
    arguments: z.array(z.string().max(32_768)).max(1_000).exactOptional(),
    workerPath: z.string().min(1).max(4_096).exactOptional(),
    /** Laid over the app's settings as its worker sees them. */
    environment: z.record(z.string().min(1).max(1_000), z.string().max(32_768)).exactOptional(),
  })
  .meta({ id: 'RestartWish', description: 'How the process of a worker is to be started anew, and why.' });

/** An app that a Runtime is told to host; its workers come by WorkerConnect, and bring its functions. */
export const hostedAppSchema = z
  .strictObject({
    tenantId: z.string().min(1).max(200),
    metadataVersion: z.string().min(1).max(200),
    codeVersion: z.string().min(1).max(200),
    /** As worker catalogues name it. */
    language: z.string().min(1).max(40),
    languageVersion: z.string().max(40).default(''),
    /** The app's folder as its workers see it. */
    scriptRoot: z.string().min(1).max(4_096),
    /** App settings and connection strings; they hold secrets. */
    settings: z.record(z.string().min(1).max(1_000), z.string().max(65_536)),
    hostJson: z.record(z.string(), z.json()).exactOptional(),
  })
  .meta({ id: 'HostedApp', description: 'An app that a Runtime is told to host.' });

/** Where a worker exchanges its token for the next one, on the control port of an installation or of a Runtime. */
export const workerTokenPath = '/v1/worker-token';

/** Paths of a Runtime that runs as a process of its own. */
export const runtimePaths = {
  status: '/v1/runtime/status',
  /** With the id of the app. */
  app: /^\/v1\/runtime\/apps\/([a-z0-9-]{1,40})$/,
  /** With the id of the worker. */
  restart: /^\/v1\/runtime\/workers\/([^/]{1,300})\/restart$/,
} as const;
