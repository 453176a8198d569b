import {
  type Link,
  type LinkStatus,
  type MessageContent,
  type StatusResult,
  StreamingMessage,
  type WorkerConnect,
} from '@switchyard/protocol';

type Kind = MessageContent['$case'];

/** A Runtime's end of a sidecar's stream, played by a test. */
export class ScriptedRuntime {
  readonly link: Link;
  /** Every frame that came, as it was. */
  readonly frames: Uint8Array[] = [];
  readonly #handlers = new Map<Kind, (content: MessageContent) => void>();

  constructor(link: Link) {
    this.link = link;
    link.receive({
      frame: (bytes) => {
        this.frames.push(bytes);
        const { content } = StreamingMessage.decode(bytes);
        if (content !== undefined) this.#handlers.get(content.$case)?.(content);
      },
      end: () => link.end(),
    });
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

  notifyReady(): void {
    const value = { workerId: 'w1', applicationId: 'shop', jobHostId: 'shop:m1' };
    this.send({ $case: 'workerSpecializedNotification', value });
  }

  refuse(status: LinkStatus): void {
    this.link.cancel(status);
  }
}
