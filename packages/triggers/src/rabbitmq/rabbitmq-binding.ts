/** What a RabbitMQ binding names: a queue and a broker. */
import { Secret } from '@switchyard/kernel';
import { type BindingMetadata, resolveConnection } from '@switchyard/model';
import type { BindingScope } from '../contract.ts';
import { rabbitMqErrors } from './errors.ts';
import type { RabbitMqConnection } from './rabbitmq-client.ts';

/** The binding's own setting, else the address in host.json. Throws RABBITMQ_CONNECTION_INVALID. */
export function parseRabbitMqConnection(binding: BindingMetadata, scope: BindingScope): RabbitMqConnection {
  const { rabbitMQ } = scope.extensions;
  const verifiesCertificate = !(
    readFlag('disableCertificateValidation', binding, scope) || rabbitMQ.disableCertificateValidation
  );
  const name = readText('connectionStringSetting', binding, scope) ?? binding.connection;
  const invalid = (problem: string, setting: string): Error => {
    const details = { function: scope.function.name, binding: binding.name, problem, setting };
    return rabbitMqErrors.create('RABBITMQ_CONNECTION_INVALID', details);
  };
  if (name === undefined) {
    if (rabbitMQ.connectionString === undefined) {
      throw bindingInvalid(
        binding,
        scope,
        'it names no "connectionStringSetting", and host.json no "connectionString"',
      );
    }
    const where = 'extensions.rabbitMQ.connectionString of host.json';
    const address = scope.settings.expand(rabbitMQ.connectionString, where);
    if (!isAddress(address)) throw invalid('the text in host.json is no address of a broker', where);
    return { address: new Secret(address), verifiesCertificate };
  }
  const connection = resolveConnection(scope.settings, name);
  switch (connection.kind) {
    case 'missing':
      throw invalid(`the app setting '${connection.name}' is missing`, connection.name);
    case 'identity':
      throw invalid(
        `'${connection.settingName}' is an identity, and RabbitMQ knows users alone`,
        connection.settingName,
      );
    case 'connectionString':
      if (!isAddress(connection.value.reveal())) {
        throw invalid(`'${connection.settingName}' is no address of a broker`, connection.settingName);
      }
      return { address: connection.value, verifiesCertificate };
  }
}

/** The queue as it is written, its settings filled in, else that of host.json. Throws RABBITMQ_BINDING_INVALID. */
export function parseQueueName(binding: BindingMetadata, scope: BindingScope): string {
  const name = readText('queueName', binding, scope) ?? scope.extensions.rabbitMQ.queueName;
  if (name === undefined) throw bindingInvalid(binding, scope, 'it names no queue');
  return name;
}

function isAddress(text: string): boolean {
  return URL.canParse(text) && /^amqps?:$/.test(new URL(text).protocol);
}

function readText(key: string, binding: BindingMetadata, scope: BindingScope): string | undefined {
  const value = binding.raw[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw bindingInvalid(binding, scope, `"${key}" is ${JSON.stringify(value)}`);
  return scope.settings.expand(value, `"${key}" of function '${scope.function.name}'`).trim();
}

function readFlag(key: string, binding: BindingMetadata, scope: BindingScope): boolean {
  const value = binding.raw[key] ?? false;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  throw bindingInvalid(binding, scope, `"${key}" is ${JSON.stringify(value)}, but it must be true or false`);
}

function bindingInvalid(binding: BindingMetadata, scope: BindingScope, problem: string): Error {
  const details = { function: scope.function.name, binding: binding.name, problem };
  return rabbitMqErrors.create('RABBITMQ_BINDING_INVALID', details);
}
