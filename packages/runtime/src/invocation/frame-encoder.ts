import { StreamingMessage } from '@switchyard/protocol';

/** A buffer that grew beyond this is given back after use, in bytes. */
const keptBytes = 1_048_576;

/**
 * Serializes messages one after the other in the same buffer; each gets a copy of exactly its size. A new buffer per message
 * would have to grow step by step, which took close to half of an invocation's whole time in the Runtime.
 */
export class FrameEncoder {
  #writer = createWriter();

  /** Throws what the message's own codec throws; the next message is not affected. */
  encode(message: StreamingMessage): Uint8Array {
    try {
      const frame = StreamingMessage.encode(message, this.#writer).finish();
      if (frame.byteLength > keptBytes) this.#writer = createWriter();
      return frame;
    } catch (thrown) {
      // The buffer holds the first part of a message that was never finished.
      this.#writer = createWriter();
      throw thrown;
    }
  }
}

/** The codec makes its own writer when it is given none. */
function createWriter(): ReturnType<typeof StreamingMessage.encode> {
  return StreamingMessage.encode({ requestId: '', content: undefined });
}
