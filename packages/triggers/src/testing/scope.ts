/** What tests of a kind start from: a function, settings, and host.json. */
import { silentLog, silentMeter } from '@switchyard/kernel';
import { type BindingMetadata, createSettingsView, type FunctionMetadata, parseHostJson } from '@switchyard/model';
import type { BindingContext, BindingScope } from '../contract.ts';

/** The name of the function in every scope. */
const functionName = 'Hello';

/** A binding from the object of function.json. */
export function createBinding(raw: Record<string, unknown> & { name: string; type: string }): BindingMetadata {
  return {
    name: raw.name,
    type: raw.type,
    direction: raw.direction === 'out' ? 'out' : 'in',
    ...(typeof raw.connection === 'string' ? { connection: raw.connection } : {}),
    ...(typeof raw.dataType === 'string' ? { dataType: raw.dataType as 'string' | 'binary' | 'stream' } : {}),
    raw,
    properties: {},
  };
}

/** A scope for `parse`. */
export function createScope(
  given: {
    readonly settings?: Readonly<Record<string, string>>;
    /** The object `extensions` of host.json. */
    readonly extensions?: Readonly<Record<string, unknown>>;
    readonly development?: boolean;
  } = {},
): BindingScope {
  const development = given.development ?? false;
  const source = { version: '2.0', extensions: given.extensions ?? {} };
  const trigger = createBinding({ name: 'trigger', type: 'manualTrigger' });
  const metadata: FunctionMetadata = {
    name: functionName,
    functionId: 'id-Hello',
    directory: '/app/Hello',
    scriptFile: 'index.js',
    entryPoint: '',
    language: 'node',
    bindings: [trigger],
    trigger,
    properties: {},
  };
  return {
    function: metadata,
    settings: createSettingsView(Object.entries(given.settings ?? {})),
    extensions: parseHostJson(source, { where: 'host.json', development, cpus: 1 }).extensions,
    development,
  };
}

/** A context for listeners and outputs, on the ports that matter to the test. */
export function createContext(
  ports: Pick<BindingContext, 'clock' | 'random'> & Partial<BindingContext>,
): BindingContext {
  return {
    applicationId: 'shop',
    hostId: 'host',
    functionName,
    settings: createSettingsView([]),
    log: silentLog,
    meter: silentMeter,
    ...ports,
  };
}
