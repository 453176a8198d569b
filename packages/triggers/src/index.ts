/** One folder per trigger or binding kind, and one registry. */

export { createRabbitMq } from './amqplib/amqp-broker.ts';
export { type AzureIdentities, createAzureIdentities, createTokenSource } from './azure-identity/azure-identities.ts';
export { readAmqpMap } from './azure-messaging/annotated-message.ts';
export { createAzureEventHubs } from './azure-messaging/azure-event-hubs.ts';
export { createAzureServiceBus } from './azure-messaging/azure-service-bus.ts';
export { createAzureBlobService } from './azure-storage/azure-blob-service.ts';
export { createAzureQueueService } from './azure-storage/azure-queue-service.ts';
export { createAzureTableService } from './azure-storage/azure-table-service.ts';
export { bindingDataFrom } from './binding-data.ts';
export type { BlobContainer, BlobService } from './blob/blob-client.ts';
export {
  type BlobTimerStatusDeps,
  chooseTimerStatus,
  createBlobTimerStatus,
  type TimerStatusChoice,
} from './blob/blob-timer-status.ts';
export type {
  Backlog,
  BindingContext,
  BindingScope,
  DynamicLimit,
  InputBindingKind,
  InvocationError,
  InvocationOutcome,
  ListenerContext,
  ListenerTriggerKind,
  LossReason,
  ManualEvent,
  OutputBindingKind,
  RouteTriggerKind,
  TriggerEvent,
  TriggerKind,
  TriggerListener,
  WebhookExtension,
  WebhookReply,
  WebhookRequest,
} from './contract.ts';
export { triggerErrors } from './errors.ts';
export type {
  AuthLevel,
  HttpCapabilities,
  HttpOutput,
  HttpReply,
  HttpTriggerOptions,
  HttpTriggerRequest,
} from './http/contract.ts';
export { httpOutputKind, httpTriggerKind } from './http/http-trigger.ts';
export { toHttpEvent } from './http/to-http-event.ts';
export { toHttpReply } from './http/to-http-reply.ts';
export type { TokenSource } from './identity/token-source.ts';
export type {
  ChangeResult,
  MessageReceipt,
  QueueClient,
  QueueMessage,
  QueueService,
  ReceiveResult,
} from './queue/queue-client.ts';
export { createRedis } from './redis-client/redis-server.ts';
export { createKinds, type Kinds, type KindsDeps } from './registry.ts';
export {
  type AdmitSettlement,
  type AnswerSettlement,
  createSettlementAnswers,
  createSettlementMethods,
} from './service-bus/settlement-methods.ts';
export { type SettlementScope, Settlements } from './service-bus/settlements.ts';
export { createSingletonLocks, type LeaseLocksDeps } from './singleton/lease-locks.ts';
export {
  createPrimaryHosts,
  type PrimaryHost,
  type PrimaryHostScope,
  type PrimaryHosts,
  type PrimaryHostsDeps,
} from './singleton/primary-host.ts';
export { createProcessLocks } from './singleton/process-locks.ts';
export {
  createSingletonListener,
  type SingletonListenerDeps,
  type SingletonListenerOptions,
} from './singleton/singleton-listener.ts';
export type { HeldLock, LockName, LockRequest, SingletonLock, SingletonLocks } from './singleton/singleton-locks.ts';
export {
  type ConcurrencySnapshots,
  createConcurrencySnapshots,
  type OpenConcurrencySnapshots,
} from './storage/concurrency-snapshots.ts';
export { findHostStorage } from './storage/host-storage.ts';
export type { StorageConnection } from './storage/storage-connection.ts';
export type { TableClient, TableService } from './table/table-client.ts';
export { createFileTimerStatus } from './timer/file-timer-status.ts';
export type { TimerStatus } from './timer/timer-status.ts';
export type { TimerKey, TimerStatusStore } from './timer/timer-status-store.ts';
export { fromTypedData, isNothing, type JsonValue, toTypedData, type WorkerValue } from './typed-data.ts';
