/** Records who sends what to whom over the links of a world, and draws it. */
import { type Link, type LinkReceiver, StreamingMessage } from '@switchyard/protocol';

/** The two ends of a link, by what they are: the near one is whose end is tapped. */
export interface TapEnds {
  readonly near: string;
  readonly far: string;
}

interface Frame {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly conversation: { workerId: string };
}

/** Frames that say nothing about the way an app gets its worker. */
const leftOut: ReadonlySet<string> = new Set([
  'rpcLog',
  'workerHeartbeat',
  'workerStatusRequest',
  'workerStatusResponse',
]);

export class FlowRecorder {
  readonly #frames: Frame[] = [];

  /** A link whose frames are noted as they pass. */
  tap(link: Link, { near, far }: TapEnds): Link {
    const conversation = { workerId: '' };
    const note = (from: string, to: string, bytes: Uint8Array): void => {
      const { content } = StreamingMessage.decode(bytes);
      if (content === undefined || leftOut.has(content.$case)) return;
      if (content.$case === 'startStream' || content.$case === 'workerConnect') {
        conversation.workerId = content.value.workerId;
      }
      this.#frames.push({ from, to, kind: content.$case, conversation });
    };
    return {
      peer: link.peer,
      metadata: link.metadata,
      get bufferedBytes() {
        return link.bufferedBytes;
      },
      closed: link.closed,
      send(bytes) {
        note(near, far, bytes);
        return link.send(bytes);
      },
      drained: () => link.drained(),
      receive(receiver: LinkReceiver) {
        link.receive({
          frame(bytes) {
            note(far, near, bytes);
            receiver.frame(bytes);
          },
          end: () => receiver.end?.(),
        });
      },
      pause: () => link.pause(),
      resume: () => link.resume(),
      end: (status) => link.end(status),
      cancel: (status) => link.cancel(status),
    };
  }

  /** A sequence diagram of what concerns one worker. */
  draw(workerId: string): string {
    const frames = this.#frames.filter(({ conversation }) => conversation.workerId === workerId);
    const names = new Set(order.filter((name) => frames.some(({ from, to }) => from === name || to === name)));
    return [
      'sequenceDiagram',
      ...[...names].map((name) => `    participant ${name}`),
      ...frames.map(({ from, to, kind }) => `    ${from}->>${to}: ${kind.charAt(0).toUpperCase()}${kind.slice(1)}`),
    ].join('\n');
  }
}

/** From left to right. */
const order: readonly string[] = ['Worker', 'Sidecar', 'Runtime', 'OtherRuntime'];
