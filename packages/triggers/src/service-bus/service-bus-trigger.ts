/** The Service Bus trigger: queues and subscriptions, one message at a time or in batches, with sessions or without. */
import type { ListenerTriggerKind } from '../contract.ts';
import { isDeferred } from '../storage/deferred-binding.ts';
import { bindingInvalid, parseServiceBusConnection, parseServiceBusEntity } from './service-bus-binding.ts';
import type { ServiceBusService } from './service-bus-client.ts';
import { ServiceBusListener, type ServiceBusTriggerOptions } from './service-bus-listener.ts';
import { Settlements } from './settlements.ts';

export function createServiceBusTrigger(
  service: ServiceBusService,
  settlements: Settlements = new Settlements(),
): ListenerTriggerKind<ServiceBusTriggerOptions> {
  return {
    style: 'listener',
    type: 'serviceBusTrigger',
    parse(binding, scope) {
      const limits = scope.extensions.serviceBus;
      const flag = (key: string, fallback: boolean): boolean => {
        const value = binding.raw[key] ?? fallback;
        if (typeof value === 'boolean') return value;
        if (typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
        throw bindingInvalid(binding, scope, `"${key}" is ${JSON.stringify(value)}, but it must be true or false`);
      };
      return {
        connection: parseServiceBusConnection(binding, scope),
        entity: parseServiceBusEntity(binding, scope),
        isBatch: String(binding.raw.cardinality ?? 'one').toLowerCase() === 'many',
        hasSessions: flag('isSessionsEnabled', false),
        completes: flag('autoCompleteMessages', limits.autoCompleteMessages),
        dataType: binding.dataType,
        isDeferred: isDeferred(binding),
        limits,
      };
    },
    listen: (options, context) => new ServiceBusListener({ service, settlements }, options, context),
  };
}
