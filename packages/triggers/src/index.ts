/** One folder per trigger or binding kind, and one registry. */
export type {
  BindingContext,
  BindingScope,
  InputBindingKind,
  InvocationError,
  InvocationOutcome,
  ListenerContext,
  ListenerTriggerKind,
  LossReason,
  OutputBindingKind,
  RouteTriggerKind,
  SettingsView,
  TriggerEvent,
  TriggerKind,
  TriggerListener,
} from './contract.ts';
export type {
  AuthLevel,
  HttpCapabilities,
  HttpReply,
  HttpTriggerOptions,
  HttpTriggerRequest,
} from './http/contract.ts';
