import { createSettingsView } from '@switchyard/model';
import { describe, expect, it } from 'vitest';
import { createScope } from '../testing/scope.ts';
import { findHostStorage, functionIdOf, requireHostStorage } from './host-storage.ts';

describe('host storage', () => {
  it('is AzureWebJobsStorage, where that is a connection string or an identity', () => {
    const find = (settings: Record<string, string>) => findHostStorage(createSettingsView(Object.entries(settings)));
    expect(find({ AzureWebJobsStorage: 'UseDevelopmentStorage=true' })?.queueEndpoint).toContain('devstoreaccount1');
    expect(find({})).toBeUndefined();
    expect(find({ AzureWebJobsStorage: 'nonsense' })).toBeUndefined();
    expect(find({ AzureWebJobsStorage__clientId: 'nobody' })).toBeUndefined();
    const identity = find({ AzureWebJobsStorage__accountName: 'shop' });
    expect(identity?.queueEndpoint).toBe('https://shop.queue.core.windows.net');
  });

  it('is missed by name where it is needed', () => {
    expect(() => requireHostStorage(createScope(), 'item')).toThrow(/'item'.*'AzureWebJobsStorage' is missing/);
    const scope = createScope({ settings: { AzureWebJobsStorage: 'UseDevelopmentStorage=true' } });
    expect(requireHostStorage(scope, 'item').queueEndpoint).toContain('devstoreaccount1');
  });

  it('names functions as the official host does', () => {
    expect(functionIdOf('Tick')).toBe('Host.Functions.Tick');
  });
});
