/**
 * Writes ONNX models byte by byte: protobuf with the few messages and fields of onnx.proto that a small network needs.
 * Field numbers are those of the public schema (ModelProto, GraphProto, NodeProto, TensorProto, ValueInfoProto).
 */

/** A tensor of 32-bit floats with a fixed value. */
export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** One operation. Integer attributes only: that is all that is needed. */
export interface Operation {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number>>;
}

/** An input or output of the model; a text is a dimension of any size. */
export interface Port {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

export interface Network {
  readonly name: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly constants: readonly Constant[];
  readonly operations: readonly Operation[];
}

const irVersion = 8;
const operatorSet = 17;
const float32 = 1;
const integerAttribute = 2;

/** The bytes of a model file. The same network gives the same bytes. */
export function writeModel(network: Network): Uint8Array {
  return message(
    integer(1, irVersion),
    text(2, 'switchyard'),
    bytes(7, graph(network)),
    bytes(8, message(text(1, ''), integer(2, operatorSet))),
  );
}

function graph({ name, inputs, outputs, constants, operations }: Network): Uint8Array {
  return message(
    ...operations.map((operation) => bytes(1, node(operation))),
    text(2, name),
    ...constants.map((constant) => bytes(5, tensor(constant))),
    ...inputs.map((port) => bytes(11, valueInfo(port))),
    ...outputs.map((port) => bytes(12, valueInfo(port))),
  );
}

function node({ type, inputs, outputs, attributes = {} }: Operation): Uint8Array {
  const attribute = ([name, value]: [string, number]): Uint8Array =>
    bytes(5, message(text(1, name), integer(3, value), integer(20, integerAttribute)));
  return message(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, type),
    ...Object.entries(attributes).map(attribute),
  );
}

function tensor({ name, shape, values }: Constant): Uint8Array {
  const raw = new Uint8Array(values.length * 4);
  const view = new DataView(raw.buffer);
  for (const [index, value] of values.entries()) view.setFloat32(index * 4, value, true);
  return message(...shape.map((size) => integer(1, size)), integer(2, float32), text(8, name), bytes(9, raw));
}

function valueInfo({ name, shape }: Port): Uint8Array {
  const dimension = (size: number | string): Uint8Array =>
    bytes(1, typeof size === 'number' ? message(integer(1, size)) : message(text(2, size)));
  const tensorType = message(integer(1, float32), bytes(2, message(...shape.map(dimension))));
  return message(text(1, name), bytes(2, message(bytes(1, tensorType))));
}

/** The wire types of protobuf. */
const wire = { varint: 0, lengthDelimited: 2 };

function message(...fields: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(fields));
}

function integer(field: number, value: number): Uint8Array {
  return message(varint(field * 8 + wire.varint), varint(value));
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, Buffer.from(value, 'utf8'));
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return message(varint(field * 8 + wire.lengthDelimited), varint(value.length), value);
}

function varint(value: number): Uint8Array {
  const result: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) result.push((rest % 128) + 128);
  return Uint8Array.from([...result, rest]);
}
