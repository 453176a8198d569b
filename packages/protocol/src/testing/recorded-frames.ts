import { readdirSync, readFileSync } from 'node:fs';

/** One frame of a conversation between a minimal host and an official language worker. */
export interface RecordedFrame {
  /** The transcript's file name: language and scenario. */
  readonly file: string;
  readonly direction: 'host->worker' | 'worker->host';
  /** The name of the message's content, in snake case. */
  readonly kind: string;
  readonly bytes: Buffer;
}

const folder = new URL('../../../../test/conformance/transcripts/', import.meta.url);

/** Every recorded frame, in order, transcript after transcript. */
export function readRecordedFrames(): readonly RecordedFrame[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.jsonl'))
    .sort()
    .flatMap((file) =>
      readFileSync(new URL(file, folder), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const { dir, kind, b64 }: { dir: RecordedFrame['direction']; kind: string; b64: string } = JSON.parse(line);
          return { file, direction: dir, kind, bytes: Buffer.from(b64, 'base64') };
        }),
    );
}
