/** The filter of a subscription as correlation rules, which the broker joins by "or". */
import { createHash } from 'node:crypto';
import type { CorrelationRuleFilter, ServiceBusRuleManager } from '@azure/service-bus';
import type { Subscription } from '../contract.ts';
import { busErrors } from '../errors.ts';
import { everybody, messageProperties } from './service-bus-message.ts';

export interface NamedRule {
  readonly name: string;
  readonly filter: CorrelationRuleFilter;
}

/** A rule for each combination of what the filter lists. Copies for another subscription pass none of them. */
export function toRules({ topic, name, filter }: Subscription): readonly NamedRule[] {
  const { eventTypes = [undefined], tenantIds = [undefined], environmentIds = [undefined] } = filter;
  const rules: NamedRule[] = [];
  for (const subject of eventTypes)
    for (const tenantId of tenantIds)
      for (const environmentId of environmentIds)
        rules.push(
          toRule({
            ...(subject === undefined ? {} : { subject }),
            applicationProperties: {
              [messageProperties.target]: everybody,
              ...(tenantId === undefined ? {} : { [messageProperties.tenantId]: tenantId }),
              ...(environmentId === undefined ? {} : { [messageProperties.environmentId]: environmentId }),
            },
          }),
        );
  rules.push(toRule({ applicationProperties: { [messageProperties.target]: name } }));
  if (rules.length <= ruleLimit) return rules;
  throw busErrors.create('BUS_INPUT_INVALID', {
    what: 'filter of the subscription',
    value: `${topic}/${name}`,
    reason: `it makes ${rules.length} rules, and ${ruleLimit} are the most; list fewer values`,
  });
}

/** Service Bus allows 1,000 correlation rules of a topic; one subscription shall not take them all. */
const ruleLimit = 200;

/** Named by what it says, so that the same filter is never made twice. */
function toRule(filter: CorrelationRuleFilter): NamedRule {
  const hash = createHash('sha256').update(JSON.stringify(filter)).digest('hex');
  return { name: `sy-${hash.slice(0, 24)}`, filter };
}

/** Adds what is missing and then removes what is too much, so that no event falls in between. */
export async function syncRules(manager: ServiceBusRuleManager, wanted: readonly NamedRule[]): Promise<void> {
  const present = new Set<string>();
  for await (const { name } of manager.listRules()) present.add(name);
  for (const { name, filter } of wanted) if (!present.has(name)) await manager.createRule(name, filter);
  const names = new Set(wanted.map(({ name }) => name));
  for (const name of present) if (!names.has(name)) await manager.deleteRule(name);
}
