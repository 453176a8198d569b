/** The Redis input, which reads one value, and the output, which carries out commands. */
import { messageOf } from '@switchyard/kernel';
import { type BindingExpression, type BindingMetadata, parseBindingExpression } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import { bindingDataFrom } from '../binding-data.ts';
import type { BindingScope, InputBindingKind, OutputBindingKind } from '../contract.ts';
import { fromTypedData, textData, toTypedData } from '../typed-data.ts';
import { redisErrors } from './errors.ts';
import { readText } from './redis-binding.ts';
import {
  type RedisArgument,
  type RedisConnection,
  type RedisReply,
  type RedisService,
  toText,
} from './redis-client.ts';
import { parseRedisConnection } from './redis-connection.ts';

export interface RedisCommandOptions {
  readonly binding: string;
  readonly connection: RedisConnection;
  /** A command and its arguments, with blanks between them. */
  readonly command: BindingExpression;
  readonly givesBytes: boolean;
}

/** Commands that read and answer with one value: what the official extension lets an input do. */
const readCommands: ReadonlySet<string> = new Set(
  (
    'BITCOUNT BITPOS DBSIZE DUMP EXISTS EXPIRETIME GEODIST GET GETBIT GETRANGE HEXISTS HGET HLEN HSTRLEN LINDEX LLEN ' +
    'PEXPIRETIME PFCOUNT PTTL RANDOMKEY SCARD SINTERCARD SISMEMBER STRLEN SUBSTR TOUCH TTL TYPE XLEN ZCARD ZCOUNT ZDIFF ' +
    'ZINTERCARD ZLEXCOUNT ZSCORE'
  ).split(' '),
);

export function createRedisInput(service: RedisService): InputBindingKind<RedisCommandOptions> {
  return {
    type: 'redis',
    parse(binding, scope) {
      const name = readText('command', binding, scope).trim().split(' ')[0] ?? '';
      if (!readCommands.has(name.toUpperCase())) {
        throw commandInvalid(scope.function.name, binding.name, `'${name}' does not read one value`);
      }
      return parseCommand(binding, scope);
    },
    async read(options, bindingData, { clock, random, functionName }) {
      const { connection, command, givesBytes } = options;
      const parts = command.resolve(bindingDataFrom(bindingData), { clock, random, functionName }).trim().split(' ');
      const reply = await carryOut(functionName, parts[0], async () =>
        (await service.shared(connection)).command(...parts),
      );
      return toValue(reply, givesBytes);
    },
  };
}

export function createRedisOutput(service: RedisService): OutputBindingKind<RedisCommandOptions> {
  return {
    type: 'redis',
    parse: parseCommand,
    async write({ binding, connection, command }, value, bindingData, { clock, random, functionName }) {
      const start = command.resolve(bindingDataFrom(bindingData), { clock, random, functionName }).trim().split(' ');
      const commands = toArgumentLists(value, (problem) => commandInvalid(functionName, binding, problem));
      if (commands.length === 0) return;
      const all = commands.map((rest) => [...start, ...rest]);
      await carryOut(functionName, start[0], async () => (await service.shared(connection)).transaction(all));
    },
  };
}

function parseCommand(binding: BindingMetadata, scope: BindingScope): RedisCommandOptions {
  const where = `the command of function '${scope.function.name}'`;
  return {
    binding: binding.name,
    connection: parseRedisConnection(binding, scope),
    command: parseBindingExpression(readText('command', binding, scope), where, scope.settings),
    givesBytes: binding.dataType === 'binary' || binding.dataType === 'stream',
  };
}

async function carryOut<T>(functionName: string, command: string | undefined, how: () => Promise<T>): Promise<T> {
  try {
    return await how();
  } catch (thrown) {
    const details = { function: functionName, command: command ?? '', reason: messageOf(thrown) };
    throw redisErrors.create('REDIS_COMMAND_FAILED', details, thrown);
  }
}

/** The arguments of each command: a list has those of one, a list of lists those of several. */
function toArgumentLists(value: TypedData, invalid: (problem: string) => Error): readonly (readonly RedisArgument[])[] {
  const given = readJson(value);
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) return [[toArgument(given, invalid)]];
  if (!given.some(Array.isArray)) return [given.map((part) => toArgument(part, invalid))];
  return given.map((list) => (Array.isArray(list) ? list : [list]).map((part: unknown) => toArgument(part, invalid)));
}

function readJson(value: TypedData): unknown {
  if (value.data?.$case !== 'string' || !value.data.value.trim().startsWith('[')) return fromTypedData(value);
  try {
    return JSON.parse(value.data.value);
  } catch {
    return value.data.value;
  }
}

function toArgument(part: unknown, invalid: (problem: string) => Error): RedisArgument {
  if (typeof part === 'string' || part instanceof Uint8Array) return part;
  if (typeof part === 'number' || typeof part === 'boolean' || typeof part === 'bigint') return String(part);
  if (typeof part === 'object' && part !== null) return JSON.stringify(part);
  throw invalid('an argument is nothing');
}

/** Undefined where there is nothing. */
function toValue(reply: RedisReply, givesBytes: boolean): TypedData | undefined {
  if (reply === null) return undefined;
  if (reply instanceof Uint8Array) return givesBytes ? toTypedData(reply) : textData(toText(reply));
  if (typeof reply === 'number') return textData(String(reply));
  return toTypedData(reply.map(toText));
}

function commandInvalid(functionName: string, binding: string, problem: string): Error {
  return redisErrors.create('REDIS_COMMAND_INVALID', { function: functionName, binding, problem });
}
