/** Deferred bindings: the worker is told where something is and opens it itself (ParameterBindingData). */
import type { BindingMetadata } from '@switchyard/model';
import type { ModelBindingData, TypedData } from '@switchyard/protocol';

const binaryType = 'application/octet-stream';

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
  const bytes = new TextEncoder().encode(JSON.stringify(content));
  return { data: { $case: 'modelBindingData', value: toBinding(source, 'application/json', bytes) } };
}

/** A value whose content is bytes: a whole message, as it came. */
export function toBinaryBindingData(source: string, content: Uint8Array): TypedData {
  return { data: { $case: 'modelBindingData', value: toBinding(source, binaryType, content) } };
}

/** Several such values, for a function that takes many. */
export function toBinaryBindingDataList(source: string, contents: readonly Uint8Array[]): TypedData {
  const modelBindingData = contents.map((content) => toBinding(source, binaryType, content));
  return { data: { $case: 'collectionModelBindingData', value: { modelBindingData } } };
}

function toBinding(source: string, contentType: string, content: Uint8Array): ModelBindingData {
  return { version: '1.0', source, contentType, content };
}
