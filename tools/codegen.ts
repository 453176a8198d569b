/**
 * Generates `packages/protocol/src/gen` from the .proto files, with no native compiler: protobufjs parses the
 * sources, this file maps its reflection tree to descriptors, and ts-proto turns those into TypeScript.
 *
 *     npm run codegen              writes the files
 *     npm run codegen -- --check   fails when the committed files differ
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import {
  CodeGeneratorRequest,
  CodeGeneratorResponse,
  DescriptorProto,
  EnumDescriptorProto,
  FieldDescriptorProto,
  FileDescriptorProto,
  FieldDescriptorProto_Label as Label,
  MethodDescriptorProto,
  ServiceDescriptorProto,
  FieldDescriptorProto_Type as Type,
} from 'ts-proto-descriptors';

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const protoRoot = join(repository, 'packages/protocol/proto');
const outputRoot = join(repository, 'packages/protocol/src/gen');

const header = '// Generated from packages/protocol/proto by tools/codegen.ts. Do not edit: run `npm run codegen`.\n';

const parameters = [
  'env=both',
  'esModuleInterop=true',
  'enumsAsLiterals=true',
  'forceLong=bigint',
  'globalThisPolyfill=false',
  'importSuffix=.ts',
  'oneof=unions-value',
  'outputJsonMethods=false',
  'outputPartialMethods=false',
  'outputServices=none',
  'unrecognizedEnum=false',
  'useDate=false',
  'useMapType=true',
].join(',');

/** Parses every .proto of the protocol package. */
export function parseProtos(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith('google/') ? target : join(protoRoot, target));
  root.loadSync(protoFiles(), { keepCase: true });
  root.resolveAll();
  return root;
}

/** The generated files, by path relative to the output folder. */
export function generate(): Map<string, string> {
  const files = toFiles(parseProtos());
  const request = CodeGeneratorRequest.fromPartial({
    fileToGenerate: files.map((file) => file.name),
    parameter: parameters,
    protoFile: files,
  });
  const plugin = createRequire(import.meta.url).resolve('ts-proto/build/src/plugin.js');
  const input = CodeGeneratorRequest.encode(request).finish();
  const run = spawnSync(process.execPath, [plugin], { input, maxBuffer: 64 * 1024 * 1024 });
  if (run.status !== 0) throw new Error(`ts-proto failed: ${run.stderr.toString()}`);
  const response = CodeGeneratorResponse.decode(run.stdout);
  if (response.error) throw new Error(`ts-proto failed: ${response.error}`);
  return new Map(response.file.map((file) => [file.name, header + rework(file.name, file.content)]));
}

/** What the generated code has to be different in. */
function rework(name: string, source: string): string {
  return strict(withOwnWire(name, withoutNamespaces(source)));
}

/** The generated code reads and writes through `src/wire.ts`, which has the library's methods and is faster. */
function withOwnWire(name: string, source: string): string {
  const up = '../'.repeat(name.split('/').length);
  return source.replace('"@bufbuild/protobuf/wire"', `"${up}wire.ts"`);
}

/**
 * ts-proto stops at an illegal tag, and lets a field reach beyond its message, without a word; the reader then goes on in
 * the wrong place, and what it finds there is not what `readEnvelope` announced. Both are errors here.
 */
function strict(source: string): string {
  const illegalTag = 'if ((tag & 7) === 4 || tag === 0) {\n          break;';
  const returned = '      return message;\n    } finally {';
  const decoders = source.split(returned).length - 1;
  const tagChecks = source.split(illegalTag).length - 1;
  if (decoders !== tagChecks) throw new Error(`ts-proto changed: ${decoders} decoders, ${tagChecks} checks of a tag`);
  return source
    .replaceAll(illegalTag, 'if (tag < 8) {\n          throw new globalThis.Error("illegal tag");')
    .replaceAll(
      returned,
      `      if (reader.pos !== end) throw new globalThis.Error("a field reaches beyond its message");\n${returned}`,
    );
}

/** ts-proto adds a namespace of types to each enum; one named `in` does not even parse. */
function withoutNamespaces(source: string): string {
  return source.replace(/^export namespace \w+ \{\n(?: {2}export type .*\n)*\}\n\n?/gm, '');
}

function protoFiles(): string[] {
  return readdirSync(protoRoot, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.proto'))
    .map((file) => file.replaceAll('\\', '/'))
    .sort();
}

function toFiles(root: protobuf.Root): FileDescriptorProto[] {
  const files = new Map<string, FileDescriptorProto>();
  const fileOf = (object: protobuf.ReflectionObject): FileDescriptorProto => {
    const name = object.filename ? relative(protoRoot, object.filename).replaceAll('\\', '/') : wellKnownFile(object);
    const found = files.get(name);
    if (found) return found;
    const created = FileDescriptorProto.fromPartial({
      name,
      package: object.parent?.fullName.replace(/^\./, '') ?? '',
      syntax: 'proto3',
    });
    files.set(name, created);
    return created;
  };
  const visit = (namespace: protobuf.NamespaceBase): void => {
    for (const object of namespace.nestedArray) {
      if (object instanceof protobuf.Type) fileOf(object).messageType.push(toMessage(object));
      else if (object instanceof protobuf.Enum) fileOf(object).enumType.push(toEnum(object));
      else if (object instanceof protobuf.Service) fileOf(object).service.push(toService(object));
      else if (object instanceof protobuf.Namespace) visit(object);
    }
  };
  visit(root);
  for (const file of files.values()) file.dependency = [...files.keys()].filter((name) => name !== file.name);
  return [...files.values()];
}

/** protobufjs knows the google types by heart, without a file; ts-proto wants one for each. */
function wellKnownFile(object: protobuf.ReflectionObject): string {
  return `google/protobuf/${object.name.endsWith('Value') ? 'wrappers' : object.name.toLowerCase()}.proto`;
}

function toMessage(type: protobuf.Type): DescriptorProto {
  const message = DescriptorProto.fromPartial({ name: type.name });
  for (const nested of type.nestedArray) {
    if (nested instanceof protobuf.Enum) message.enumType.push(toEnum(nested));
    else if (nested instanceof protobuf.Type) message.nestedType.push(toMessage(nested));
  }
  // ts-proto-descriptors leaves out an index of 0 when it encodes, so a declaration nobody uses stands there.
  const oneofs = [undefined, ...type.oneofsArray];
  message.oneofDecl = oneofs.map((oneof) => ({ name: oneof?.name ?? '_unused', options: undefined }));
  for (const field of type.fieldsArray) {
    const descriptor = toField(field);
    if (field.partOf) descriptor.oneofIndex = oneofs.indexOf(field.partOf);
    if (field instanceof protobuf.MapField) message.nestedType.push(toMapEntry(type, field, descriptor));
    message.field.push(descriptor);
  }
  return message;
}

function toMapEntry(type: protobuf.Type, field: protobuf.MapField, descriptor: FieldDescriptorProto): DescriptorProto {
  const name = `${field.name.replace(/(^|_)([a-zA-Z])/g, (_match, _line, letter) => letter.toUpperCase())}Entry`;
  const value = { ...toField(field), name: 'value', number: 2, label: Label.LABEL_OPTIONAL, jsonName: 'value' };
  const key = FieldDescriptorProto.fromPartial({
    name: 'key',
    number: 1,
    label: Label.LABEL_OPTIONAL,
    type: scalar(field.keyType),
    jsonName: 'key',
  });
  descriptor.label = Label.LABEL_REPEATED;
  descriptor.type = Type.TYPE_MESSAGE;
  descriptor.typeName = `${type.fullName}.${name}`;
  return DescriptorProto.fromPartial({ name, field: [key, value], options: { mapEntry: true } });
}

function toField(field: protobuf.Field | protobuf.MapField): FieldDescriptorProto {
  const resolved = field.resolvedType;
  return FieldDescriptorProto.fromPartial({
    name: field.name,
    number: field.id,
    label: field.repeated ? Label.LABEL_REPEATED : Label.LABEL_OPTIONAL,
    type:
      resolved === null ? scalar(field.type) : resolved instanceof protobuf.Enum ? Type.TYPE_ENUM : Type.TYPE_MESSAGE,
    typeName: resolved?.fullName ?? '',
    jsonName: field.name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase()),
  });
}

function toEnum(type: protobuf.Enum): EnumDescriptorProto {
  const value = Object.entries(type.values).map(([name, number]) => ({ name, number, options: undefined }));
  return EnumDescriptorProto.fromPartial({ name: type.name, value });
}

function toService(service: protobuf.Service): ServiceDescriptorProto {
  const method = service.methodsArray.map((entry) =>
    MethodDescriptorProto.fromPartial({
      name: entry.name,
      inputType: entry.resolvedRequestType?.fullName ?? '',
      outputType: entry.resolvedResponseType?.fullName ?? '',
      clientStreaming: entry.requestStream === true,
      serverStreaming: entry.responseStream === true,
    }),
  );
  return ServiceDescriptorProto.fromPartial({ name: service.name, method });
}

function scalar(name: string): Type {
  const type = Type[`TYPE_${name.toUpperCase()}` as keyof typeof Type];
  if (typeof type !== 'number') throw new Error(`unknown scalar type '${name}'`);
  return type;
}

function write(files: Map<string, string>): void {
  rmSync(outputRoot, { recursive: true, force: true });
  for (const [name, content] of files) {
    const path = join(outputRoot, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

function differing(files: Map<string, string>): string[] {
  return [...files].filter(([name, content]) => readOr(join(outputRoot, name)) !== content).map(([name]) => name);
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = generate();
  if (process.argv.includes('--check')) {
    const stale = differing(files);
    if (stale.length > 0) {
      console.error(`generated code is out of date: ${stale.join(', ')}. Run: npm run codegen`);
      process.exit(1);
    }
  } else write(files);
}
