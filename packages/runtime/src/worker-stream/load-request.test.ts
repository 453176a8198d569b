import { parseIndexedFunction } from '@switchyard/model';
import { toRpcFunctionMetadata } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { toLoadRequest } from './load-request.ts';

describe('toLoadRequest', () => {
  const parsed = parseIndexedFunction(
    toRpcFunctionMetadata({
      name: 'copy',
      functionId: 'id-7',
      entryPoint: 'main',
      properties: { worker_indexed: 'True' },
      bindings: [
        { type: 'queueTrigger', direction: 'in', name: 'item', queueName: 'q', dataType: 'binary' },
        {
          type: 'blob',
          direction: 'out',
          name: 'outBlob',
          path: 'c/b',
          properties: { supportsDeferredBinding: 'true' },
        },
      ],
    }),
  );
  if (parsed.kind === 'rejected') throw new Error(parsed.reason);
  const request = toLoadRequest(parsed.function, true);

  test('carries where the function stands', () => {
    expect(request).toMatchObject({
      functionId: 'id-7',
      managedDependencyEnabled: true,
      metadata: { name: 'copy', directory: '/app/dist', scriptFile: 'index.js', entryPoint: 'main', isProxy: false },
    });
  });

  test('describes bindings by type, direction and data type alone', () => {
    expect([...(request.metadata?.bindings ?? [])]).toEqual([
      ['item', { type: 'queueTrigger', direction: 0, dataType: 2, properties: new Map() }],
      ['outBlob', { type: 'blob', direction: 1, dataType: 0, properties: new Map() }],
    ]);
    expect(request.metadata?.rawBindings).toEqual([]);
  });

  test("echoes the worker's own properties, and adds the id", () => {
    expect(Object.fromEntries(request.metadata?.properties ?? [])).toEqual({
      worker_indexed: 'True',
      FunctionId: 'id-7',
    });
  });
});
