import { describe, expect, it } from 'vitest';
import { createBinding } from '../testing/scope.ts';
import { connectionNameOf, isDeferred, toModelBindingData } from './deferred-binding.ts';

describe('deferred bindings', () => {
  it.each([
    [{ supportsDeferredBinding: 'True' }, true],
    [{ supportsDeferredBinding: 'true' }, true],
    [{ SupportsDeferredBinding: 'TRUE' }, true],
    [{ supportsDeferredBinding: 'false' }, false],
    [{}, false],
  ])('are asked for by %o: %o', (properties, expected) => {
    const binding = { ...createBinding({ name: 'blob', type: 'blob' }), properties };
    expect(isDeferred(binding)).toBe(expected);
  });

  it('name the connection as the binding does', () => {
    expect(connectionNameOf(createBinding({ name: 'b', type: 'blob', connection: 'Shop' }))).toBe('Shop');
    expect(connectionNameOf(createBinding({ name: 'b', type: 'blob' }))).toBe('AzureWebJobsStorage');
  });

  it('have the official form', () => {
    const { data } = toModelBindingData('AzureStorageBlobs', { Connection: 'Shop', BlobName: 'ä' });
    expect(data).toMatchObject({
      $case: 'modelBindingData',
      value: { version: '1.0', source: 'AzureStorageBlobs', contentType: 'application/json' },
    });
    const content = data?.$case === 'modelBindingData' ? data.value.content : undefined;
    expect(new TextDecoder().decode(content)).toBe('{"Connection":"Shop","BlobName":"ä"}');
  });
});
