/**
 * Turns an app's index into functions that can run: every binding parsed by its kind, once.
 *
 * A function whose bindings cannot be parsed is rejected with a reason that names it and the fix; the others run.
 */
import { isPlatformError, type MetricLabels } from '@switchyard/kernel';
import {
  type BindingMetadata,
  type FunctionIndex,
  type FunctionMetadata,
  type HostExtensions,
  isFunctionDisabled,
  type RejectedFunction,
  type RetryPolicy,
  returnBindingName,
  type SettingsView,
  type SingletonSettings,
} from '@switchyard/model';
import type {
  BindingContext,
  BindingScope,
  HttpTriggerOptions,
  InvocationOutcome,
  Kinds,
  TriggerListener,
} from '@switchyard/triggers';
import { runtimeErrors } from '../errors.ts';
import type { FunctionEntry, FunctionTrigger, InputBinding, ListenerWay, OutputBinding } from './function-entry.ts';

export interface EntryScope {
  readonly applicationId: string;
  readonly settings: SettingsView;
  readonly kinds: Kinds;
  readonly development: boolean;
  readonly extensions: HostExtensions;
  /** `singleton` of host.json. */
  readonly singleton?: SingletonSettings;
  /** The retry policy of host.json, for functions without one. */
  readonly retry: RetryPolicy | undefined;
  readonly contextOf: (functionName: string) => BindingContext;
}

export interface BuiltEntries {
  readonly entries: readonly FunctionEntry[];
  readonly rejected: readonly RejectedFunction[];
}

/** The binding type of an HTTP response, which is an output that nothing is written to. */
const httpOutputType = 'http';

/** Parses every function of the index. */
export function buildEntries(index: FunctionIndex, scope: EntryScope): BuiltEntries {
  const entries: FunctionEntry[] = [];
  const rejected = [...index.rejected];
  for (const metadata of index.functions) {
    try {
      entries.push(buildEntry(metadata, scope));
    } catch (thrown) {
      if (!isPlatformError(thrown)) throw thrown;
      rejected.push({ name: metadata.name, reason: thrown.message });
    }
  }
  return { entries, rejected };
}

function buildEntry(metadata: FunctionMetadata, scope: EntryScope): FunctionEntry {
  const bindings = metadata.bindings.filter((binding) => binding !== metadata.trigger);
  const isHttpOutput = ({ type, direction }: BindingMetadata): boolean =>
    direction !== 'in' && type.toLowerCase() === httpOutputType;
  const writes = bindings.filter((binding) => binding.direction !== 'in');
  const trigger = buildTrigger(metadata, scope);
  return {
    metadata,
    isDisabled: isFunctionDisabled(scope.settings, metadata.name),
    trigger,
    inputs: bindings
      .filter(({ direction }) => direction !== 'out')
      .map((binding) => buildInput(metadata, binding, scope)),
    outputs: writes.filter((binding) => !isHttpOutput(binding)).map((binding) => buildOutput(metadata, binding, scope)),
    httpOutputName: writes.find(isHttpOutput)?.name,
    hasReturnBinding: writes.some(({ name }) => name === returnBindingName),
    outputNames: new Set(writes.map(({ name }) => name)),
    retry: metadata.retry ?? scope.retry,
    logCategory: `Function.${metadata.name}`,
    labels: labelsOf(scope.applicationId, metadata.name),
  };
}

function buildTrigger(metadata: FunctionMetadata, scope: EntryScope): FunctionTrigger {
  const { trigger } = metadata;
  const kind = scope.kinds.trigger(trigger.type);
  if (kind === undefined) throw unknownType(metadata, trigger, 'trigger', scope.kinds.supportedTriggerTypes());
  const options = kind.parse(trigger, bindingScope(metadata, scope));
  if (kind.style === 'route') return { kind: 'route', options: options as HttpTriggerOptions };
  const context = scope.contextOf(metadata.name);
  const listen = (way: ListenerWay): TriggerListener => kind.listen(options, { ...context, ...way });
  if (kind.toManualEvent === undefined) return { kind: 'listener', listen };
  const toManualEvent = kind.toManualEvent.bind(kind);
  return { kind: 'listener', listen, toManualEvent: (input) => toManualEvent(options, input, context) };
}

function buildInput(metadata: FunctionMetadata, binding: BindingMetadata, scope: EntryScope): InputBinding {
  const kind = scope.kinds.input(binding.type);
  if (kind === undefined) throw unknownType(metadata, binding, 'input binding', scope.kinds.supportedInputTypes());
  const options = kind.parse(binding, bindingScope(metadata, scope));
  const context = scope.contextOf(metadata.name);
  return { name: binding.name, read: (values) => kind.read(options, values, context) };
}

function buildOutput(metadata: FunctionMetadata, binding: BindingMetadata, scope: EntryScope): OutputBinding {
  const kind = scope.kinds.output(binding.type);
  if (kind === undefined) throw unknownType(metadata, binding, 'output binding', scope.kinds.supportedOutputTypes());
  const options = kind.parse(binding, bindingScope(metadata, scope));
  const context = scope.contextOf(metadata.name);
  return { name: binding.name, write: (value, values) => kind.write(options, value, values, context) };
}

function bindingScope(metadata: FunctionMetadata, scope: EntryScope): BindingScope {
  const { settings, extensions, singleton, development } = scope;
  return { function: metadata, settings, extensions, singleton, development };
}

function unknownType(
  metadata: FunctionMetadata,
  binding: BindingMetadata,
  role: string,
  supported: readonly string[],
): Error {
  return runtimeErrors.create('FUNCTION_BINDING_UNKNOWN', {
    functionName: metadata.name,
    bindingName: binding.name,
    type: binding.type,
    role,
    supported: supported.length === 0 ? 'none' : supported.join(', '),
  });
}

function labelsOf(applicationId: string, functionName: string): Record<InvocationOutcome['kind'], MetricLabels> {
  const of = (outcome: string): MetricLabels => ({ app: applicationId, function: functionName, outcome });
  return {
    succeeded: of('succeeded'),
    failed: of('failed'),
    cancelled: of('cancelled'),
    lost: of('lost'),
  };
}
