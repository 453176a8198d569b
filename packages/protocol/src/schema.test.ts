/**
 * The .proto files against the facts: everything that the official workers know stands in our schema, and what we have
 * beyond that is exactly what is written down here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { expect, it } from 'vitest';
import { generate, parseProtos } from '../../../tools/codegen.ts';
import { contentCases } from './envelope.ts';

/** The shape of proto/function-rpc.json, as far as it is used. */
interface Facts {
  readonly files: readonly FactFile[];
  readonly adjacentProtos: { readonly files: readonly FactFile[] };
}
interface FactFile {
  readonly file: string;
  readonly services?: readonly { readonly fullName: string; readonly methods: readonly FactMethod[] }[];
  readonly messages: readonly {
    readonly fullName: string;
    readonly fields: readonly FactField[];
    readonly enums?: readonly FactEnum[];
  }[];
  readonly enums?: readonly FactEnum[];
}
interface FactMethod {
  readonly name: string;
  readonly path: string;
  readonly request: string;
  readonly requestStream: boolean;
  readonly response: string;
  readonly responseStream: boolean;
}
interface FactField {
  readonly name: string;
  readonly number: number;
  readonly label: string;
  readonly type?: string;
  readonly kind?: string;
  readonly keyType?: string;
  readonly valueType?: string;
  readonly valueKind?: string;
  readonly oneof?: string;
}
interface FactEnum {
  readonly fullName: string;
  readonly values: readonly { readonly name: string; readonly number: number }[];
}

const facts: Facts = JSON.parse(readFileSync(new URL('../proto/function-rpc.json', import.meta.url), 'utf8'));

/** One line for each thing that the wire depends on. */
function factLines(): string[] {
  const settlement = facts.adjacentProtos.files.filter(({ file }) => file === 'settlement.proto');
  return [...facts.files, ...settlement].flatMap((file) => [
    ...(file.services ?? []).flatMap(({ methods }) =>
      methods.map((each) =>
        methodLine(each.path, [each.request, each.requestStream], [each.response, each.responseStream]),
      ),
    ),
    ...(file.enums ?? []).flatMap(enumLines),
    ...file.messages.flatMap((message) => [
      `message ${message.fullName}`,
      ...message.fields.map((field) => factFieldLine(message.fullName, field)),
      ...(message.enums ?? []).flatMap(enumLines),
    ]),
  ]);
}

function factFieldLine(message: string, field: FactField): string {
  const type =
    field.label === 'map' ? `${field.keyType} -> ${field.valueKind} ${field.valueType}` : `${field.kind} ${field.type}`;
  return fieldLine(message, field.name, field.number, field.label, type, field.oneof);
}

function fieldLine(
  message: string,
  name: string,
  number: number,
  label: string,
  type: string,
  oneof: string | undefined,
): string {
  return `${message}.${name} = ${number} ${label} ${type}${oneof === undefined ? '' : ` in ${oneof}`}`;
}

function enumLines({ fullName, values }: FactEnum): string[] {
  return values.map(({ name, number }) => `${fullName}.${name} = ${number}`);
}

function methodLine(path: string, request: readonly [string, boolean], response: readonly [string, boolean]): string {
  const side = ([type, stream]: readonly [string, boolean]): string => (stream ? `stream ${type}` : type);
  return `rpc ${path} (${side(request)}) returns (${side(response)})`;
}

/** The same lines from our .proto files; google's own types left out. */
function schemaLines(): string[] {
  const lines: string[] = [];
  const nameOf = (object: protobuf.ReflectionObject): string => object.fullName.replace(/^\./, '');
  const visit = (object: protobuf.ReflectionObject): void => {
    if (object instanceof protobuf.Enum) {
      const values = Object.entries(object.values).map(([name, number]) => ({ name, number }));
      lines.push(...enumLines({ fullName: nameOf(object), values }));
    } else if (object instanceof protobuf.Service) {
      for (const each of object.methodsArray) {
        const types = [each.resolvedRequestType, each.resolvedResponseType].map((type) => (type ? nameOf(type) : '?'));
        const request = [types[0] ?? '', each.requestStream === true] as const;
        lines.push(
          methodLine(`/${nameOf(object)}/${each.name}`, request, [types[1] ?? '', each.responseStream === true]),
        );
      }
    } else if (object instanceof protobuf.Type) {
      lines.push(
        `message ${nameOf(object)}`,
        ...object.fieldsArray.map((field) => schemaFieldLine(nameOf(object), field)),
      );
      object.nestedArray.forEach(visit);
    } else if (object instanceof protobuf.Namespace && object.name !== 'google') object.nestedArray.forEach(visit);
  };
  visit(parseProtos());
  return lines;
}

function schemaFieldLine(message: string, field: protobuf.Field | protobuf.MapField): string {
  const { resolvedType } = field;
  const kind = resolvedType === null ? 'scalar' : resolvedType instanceof protobuf.Enum ? 'enum' : 'message';
  const type = `${kind} ${resolvedType === null ? field.type : resolvedType.fullName.slice(1)}`;
  if (field instanceof protobuf.MapField) {
    return fieldLine(message, field.name, field.id, 'map', `${field.keyType} -> ${type}`, undefined);
  }
  return fieldLine(message, field.name, field.id, field.repeated ? 'repeated' : 'singular', type, field.partOf?.name);
}

/** What we add, by message; `~` stands for the package. The numbers are free ones of StreamingMessage and StartStream. */
const additions: Readonly<Record<string, readonly string[]>> = {
  StreamingMessage: [
    'worker_connect = 50 singular message ~.WorkerConnect in content',
    'worker_connect_response = 51 singular message ~.WorkerConnectResponse in content',
    'worker_restart_request = 52 singular message ~.WorkerRestartRequest in content',
    'worker_restart_response = 53 singular message ~.WorkerRestartResponse in content',
    'worker_specialized_notification = 54 singular message ~.WorkerSpecializedNotification in content',
    'worker_specialized = 100 singular message ~.WorkerSpecialized in content',
    'worker_specialized_response = 101 singular message ~.WorkerSpecializedResponse in content',
  ],
  StartStream: ['properties = 50 map string -> scalar string'],
};

/** Messages that are ours altogether. */
const ownMessages = [
  'WorkerConnect',
  'WorkerConnectResponse',
  'WorkerRestartRequest',
  'WorkerRestartRequest.Configuration',
  'WorkerRestartResponse',
  'WorkerSpecializedNotification',
  'WorkerSpecialized',
  'WorkerSpecializedResponse',
];

const rpcPackage = 'AzureFunctionsRpcMessages';

it('every fact of the official schema stands in ours, with the same number, type and place', () => {
  const ours = new Set(schemaLines());
  const lines = factLines();
  expect(lines.length).toBeGreaterThan(300);
  expect(lines.filter((line) => !ours.has(line))).toEqual([]);
});

it('what ours has beyond the official schema is exactly the list of additions', () => {
  const official = new Set(factLines());
  const isOwn = (line: string): boolean =>
    ownMessages.some((name) => line === `message ${rpcPackage}.${name}` || line.startsWith(`${rpcPackage}.${name}.`));
  // How a cluster asks the scale controller; no worker ever sees that.
  const isScaler = (line: string): boolean => /^(\w+ )?\/?externalscaler\./.test(line);
  const extras = schemaLines().filter((line) => !official.has(line) && !isScaler(line));
  const expected = Object.entries(additions).flatMap(([message, fields]) =>
    fields.map((field) => `${rpcPackage}.${message}.${field.replaceAll('~', rpcPackage)}`),
  );
  expect(extras.filter((line) => !isOwn(line)).sort()).toEqual(expected.sort());
  for (const name of ownMessages) expect(extras).toContain(`message ${rpcPackage}.${name}`);
});

it('no addition takes a number that the official schema leaves for later among its own', () => {
  const official = facts.files.flatMap(({ messages }) => messages);
  for (const [message, fields] of Object.entries(additions)) {
    const numbers =
      official.find(({ fullName }) => fullName === `${rpcPackage}.${message}`)?.fields.map(({ number }) => number) ??
      [];
    for (const field of fields) expect(Number(/ = (\d+) /.exec(field)?.[1])).toBeGreaterThan(Math.max(...numbers));
  }
});

it('the envelope reader knows every content by its number', () => {
  const content = parseProtos().lookupType(`${rpcPackage}.StreamingMessage`).oneofs.content;
  const camelCase = (name: string): string => name.replace(/_(\w)/g, (_match, letter: string) => letter.toUpperCase());
  const expected = content?.fieldsArray.map((field) => [field.id, camelCase(field.name)] as const) ?? [];
  expect([...contentCases.entries()].filter(([, name]) => name !== undefined)).toEqual(
    expected.sort(([a], [b]) => a - b),
  );
});

it('the generated code is up to date (npm run codegen)', () => {
  const folder = fileURLToPath(new URL('./gen', import.meta.url));
  const committed = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [name.replaceAll('\\', '/'), readFileSync(join(folder, name), 'utf8')] as const);
  expect(new Map(committed.sort())).toEqual(new Map([...generate()].sort()));
});
