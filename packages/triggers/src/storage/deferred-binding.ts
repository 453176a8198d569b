/** Deferred bindings: the worker is told where something is and opens it itself (ParameterBindingData). */
import type { BindingMetadata } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';

/** The setting whose connection a binding uses that names none. */
const defaultConnectionName = 'AzureWebJobsStorage';

/** The name that a binding gives its connection; workers look it up in their environment. */
export function connectionNameOf(binding: BindingMetadata): string {
  return binding.connection ?? defaultConnectionName;
}

/** True when the worker asked for it. */
export function isDeferred(binding: BindingMetadata): boolean {
  return Object.entries(binding.properties).some(
    ([name, value]) => name.toLowerCase() === 'supportsdeferredbinding' && value.toLowerCase() === 'true',
  );
}

/** The value that the worker gets; `source` is the official name of the extension. */
export function toModelBindingData(source: string, content: Readonly<Record<string, unknown>>): TypedData {
  const value = {
    version: '1.0',
    source,
    contentType: 'application/json',
    content: new TextEncoder().encode(JSON.stringify(content)),
  };
  return { data: { $case: 'modelBindingData', value } };
}
