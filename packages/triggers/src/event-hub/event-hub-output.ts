/** The Event Hubs output: events to a hub. */
import { messageOf } from '@switchyard/kernel';
import { type BindingExpression, parseBindingExpression } from '@switchyard/model';
import { bindingDataFrom } from '../binding-data.ts';
import type { OutputBindingKind } from '../contract.ts';
import { toMessageContents } from '../message-content.ts';
import type { NamespaceConnection } from '../namespace/namespace-connection.ts';
import { eventHubErrors } from './errors.ts';
import { parseEventHubConnection, parseHubName } from './event-hub-binding.ts';
import type { EventHubService } from './event-hub-client.ts';

export interface EventHubOutputOptions {
  readonly connection: NamespaceConnection;
  readonly hub: BindingExpression;
}

/** Makes the output: a list is several events; objects are JSON. */
export function createEventHubOutput(service: EventHubService): OutputBindingKind<EventHubOutputOptions> {
  return {
    type: 'eventHub',
    parse(binding, scope) {
      const named = parseEventHubConnection(binding, scope);
      const where = `the event hub of function '${scope.function.name}'`;
      const hub = parseBindingExpression(parseHubName(binding, scope, named), where, scope.settings);
      return { connection: named.connection, hub };
    },
    async write({ connection, hub }, value, bindingData, { clock, random, functionName }) {
      const events = toMessageContents(value);
      if (events.length === 0) return;
      const name = hub.resolve(bindingDataFrom(bindingData), { clock, random, functionName });
      try {
        await service.send(connection, name, events);
      } catch (thrown) {
        const details = { function: functionName, hub: name, reason: messageOf(thrown) };
        throw eventHubErrors.create('EVENT_HUB_SEND_FAILED', details, thrown);
      }
    },
  };
}
