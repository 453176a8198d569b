/** What the generated code needs to read and write the protobuf wire format. */
export { BinaryReader } from './wire/binary-reader.ts';
export { BinaryWriter } from './wire/binary-writer.ts';
