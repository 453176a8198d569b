import { asBytes, asList, asName, describe, refuseParameter } from '../../parameters.ts';

const maxModuleBytes = 2 * 1024 * 1024;
const maxParameters = 32;

/**
 * Calls an exported function of a caller's own WebAssembly module, which can import nothing: it calculates, and reaches
 * nothing else. It may run for ever; ending its thread ends it.
 */
export async function runWasm(code: unknown, name: unknown, parameters: unknown): Promise<number | bigint | null> {
  const bytes = asBytes(code, 'The module', maxModuleBytes);
  const wanted = asName(name, 'The function');
  const values = asList(parameters ?? [], 'The parameters', maxParameters).map((value) => {
    if (typeof value === 'number' || typeof value === 'bigint') return value;
    return refuseParameter('The parameters', `they hold ${describe(value)}, and may hold numbers only`);
  });
  const { instance } = await webAssembly.instantiate(bytes, {}).catch((error: Error) => {
    return refuseParameter('The module', error.message);
  });
  const found = Object.hasOwn(instance.exports, wanted) ? instance.exports[wanted] : undefined;
  if (typeof found !== 'function')
    return refuseParameter(
      'The function',
      `the module exports ${Object.keys(instance.exports).join(', ') || 'nothing'}`,
    );
  const result: unknown = found(...values);
  return typeof result === 'number' || typeof result === 'bigint' ? result : null;
}

/** The part of the global that is used; its types come with those of browsers, which this package does without. */
interface WebAssemblyGlobal {
  instantiate(
    bytes: Uint8Array,
    imports: object,
  ): Promise<{ readonly instance: { readonly exports: Readonly<Record<string, unknown>> } }>;
}

const { WebAssembly: webAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyGlobal };
