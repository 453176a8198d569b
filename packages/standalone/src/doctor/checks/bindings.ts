import { resolveConnection } from '@switchyard/model';
import type { AppFacts, DeclaredBinding } from '../app-facts.ts';
import type { Finding } from '../finding.ts';

/** Bindings of kinds that are not there, and settings that they name in vain. */
export function checkBindings(facts: AppFacts): readonly Finding[] {
  return [
    ...facts.bindings.flatMap((binding) => checkKind(facts, binding)),
    ...facts.bindings.flatMap((binding) => checkSettings(facts, binding)),
  ];
}

/** These have their own extension, with state of its own in storage. */
const durableTypes = new Set(['orchestrationtrigger', 'activitytrigger', 'entitytrigger', 'durableclient']);

function checkKind({ supported }: AppFacts, { where, type, role }: DeclaredBinding): Finding[] {
  const types = { trigger: supported.triggers, input: supported.inputs, output: supported.outputs }[role];
  if (types.some((known) => known.toLowerCase() === type.toLowerCase())) return [];
  const isDurable = durableTypes.has(type.toLowerCase());
  return [
    {
      severity: 'error',
      code: isDurable ? 'durable-functions' : 'binding-unsupported',
      subject: where,
      problem: `The ${role} '${type}' is not supported; the function is left out, and the others run.`,
      fix: isDurable
        ? 'Write the steps as functions with queues between them; Durable Functions are not there.'
        : `Use one of ${types.join(', ')}, or the service's own library inside the function.`,
    },
  ];
}

function checkSettings({ settings }: AppFacts, binding: DeclaredBinding): Finding[] {
  const missing = binding.settingNames.filter((name) => (settings.get(name) ?? '') === '');
  const { connection } = binding;
  const isUnconnected = connection !== undefined && resolveConnection(settings, connection).kind === 'missing';
  const names = new Set([...missing, ...(isUnconnected ? [connection] : [])]);
  return [...names].map((name) => ({
    severity: 'error',
    code: 'setting-missing',
    subject: binding.where,
    problem: `The ${binding.role} '${binding.type}' names the app setting '${name}', which is not set.`,
    fix: `Set '${name}' in local.settings.json, or in the environment.`,
  }));
}
