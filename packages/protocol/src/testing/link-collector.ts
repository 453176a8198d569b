import type { Link } from '../link.ts';

/** What a link has received, and ways to wait for it. */
export interface Collector {
  readonly frames: readonly Uint8Array[];
  /** Resolves with `count` frames from the given one on, as soon as that many have arrived. */
  from(start: number, count: number): Promise<readonly Uint8Array[]>;
  /** Resolves when the peer has ended its direction. */
  readonly ended: Promise<void>;
}

/** Receives on `link` and keeps every frame. `onFrame` runs after a frame was kept. */
export function collect(link: Link, onFrame: () => void = () => {}): Collector {
  const frames: Uint8Array[] = [];
  let notify: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    link.receive({
      frame: (bytes) => {
        frames.push(bytes);
        notify();
        onFrame();
      },
      end: resolve,
    });
  });
  return {
    frames,
    ended,
    from: (start, count) =>
      new Promise((resolve) => {
        notify = () => {
          if (frames.length >= start + count) resolve(frames.slice(start, start + count));
        };
        notify();
      }),
  };
}

/** Lets everything happen that needs no clock: a number of turns of the event loop. */
export async function turns(count = 30): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
