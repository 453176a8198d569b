/**
 * The built-in capabilities of Switchyard. What is exported is small: the core, the manifests of the rest, and the types of
 * all. What the rest is made of is loaded by hosts from its own files.
 */
export type { Background, SubmitOptions } from './background/background-capability.ts';
export type { JobState, JobStatus } from './background/job-store.ts';
export type * from './capability-module.ts';
export type { Compute } from './compute/compute-capability.ts';
export type { TaskState } from './compute/started-tasks.ts';
export { type CoreName, coreNames, createCoreModules } from './core-modules.ts';
export type { CryptoTools } from './crypto/crypto-capability.ts';
export type { KeyDescription } from './crypto/key-store.ts';
export type { DataSqlTools } from './data/data-capability.ts';
export { libraryErrors } from './errors.ts';
export type { Classification, Inference } from './inference/inference-capability.ts';
export type { TensorData } from './inference/tensor-data.ts';
export type { JsonTools } from './json/json-capability.ts';
export type { JsonValue } from './json/json-value.ts';
export { createLibraryManifests, type LibraryManifest, type LibraryManifestOptions } from './library-manifests.ts';
export type { TextTools } from './text/text-capability.ts';
export type { Http } from './web/http-capability.ts';
export type { HttpResponse } from './web/http-client.ts';
export type { WebTools } from './web/web-capability.ts';
