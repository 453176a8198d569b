import {
  type Link,
  type LinkStatus,
  type MessageContent,
  type StartStream,
  type StatusResult,
  StreamingMessage,
  type WorkerConnect,
  type WorkerSpecialized,
} from '@switchyard/protocol';

type Kind = MessageContent['$case'];

/** A Runtime's end of a sidecar's stream, played by a test. */
export class ScriptedRuntime {
  readonly link: Link;
  /** Every frame that came, as it was. */
  readonly frames: Uint8Array[] = [];
  #holdsEnd = false;
  readonly #handlers = new Map<Kind, (content: MessageContent) => void>();

  constructor(link: Link) {
    this.link = link;
    link.receive({
      frame: (bytes) => {
        this.frames.push(bytes);
        const { content } = StreamingMessage.decode(bytes);
        if (content !== undefined) this.#handlers.get(content.$case)?.(content);
      },
      end: () => {
        if (!this.#holdsEnd) link.end();
      },
    });
  }

  /** From now on the end of the sidecar's direction is not answered. */
  holdEnd(): void {
    this.#holdsEnd = true;
  }

  get messages(): readonly StreamingMessage[] {
    return this.frames.map((frame) => StreamingMessage.decode(frame));
  }

  get kinds(): readonly (Kind | undefined)[] {
    return this.messages.map(({ content }) => content?.$case);
  }

  /** The text of every log line that came. */
  get lines(): readonly string[] {
    return this.messages.flatMap(({ content }) => (content?.$case === 'rpcLog' ? [content.value.message] : []));
  }

  /** The WorkerConnect that opened the stream. */
  get connect(): WorkerConnect {
    const content = this.messages[0]?.content;
    if (content?.$case !== 'workerConnect') throw new Error(`the first message is ${content?.$case}`);
    return content.value;
  }

  /** The StartStream that opened the stream. */
  get startStream(): StartStream {
    const content = this.messages[0]?.content;
    if (content?.$case !== 'startStream') throw new Error(`the first message is ${content?.$case}`);
    return content.value;
  }

  /** The WorkerSpecialized that came. */
  get specialized(): WorkerSpecialized {
    for (const { content } of this.messages) if (content?.$case === 'workerSpecialized') return content.value;
    throw new Error('no WorkerSpecialized came');
  }

  on(kind: Kind, handler: (content: MessageContent) => void): void {
    this.#handlers.set(kind, handler);
  }

  send(content: MessageContent, requestId = ''): void {
    this.link.send(StreamingMessage.encode({ requestId, content }).finish());
  }

  answerConnect(result: StatusResult): void {
    const value = { result, hostCapabilities: new Map(), functionLoadRequests: [] };
    this.send({ $case: 'workerConnectResponse', value });
  }

  /** Answers the WorkerSpecialized that came. */
  answerSpecialized(result: StatusResult): void {
    const { correlationId } = this.specialized;
    this.send({ $case: 'workerSpecializedResponse', value: { result, jobHostId: 'shop:m1', correlationId } });
  }

  notifyReady(): void {
    const value = { workerId: 'w1', applicationId: 'shop', jobHostId: 'shop:m1' };
    this.send({ $case: 'workerSpecializedNotification', value });
  }

  refuse(status: LinkStatus): void {
    this.link.cancel(status);
  }
}
