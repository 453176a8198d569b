/** The programs that the mock engine understands. */
import type { OutputStream, TaskSpec } from '../contract.ts';

/** What a program of the mock engine can do. */
export interface MockProcess {
  readonly words: readonly string[];
  readonly spec: TaskSpec;
  write(stream: OutputStream, text: string): void;
  end(exitCode: number): void;
  endAfter(delayMs: number, exitCode: number): void;
  runOutOfMemory(): void;
}

type MockProgram = (run: MockProcess) => void;

const secondMs = 1_000;

/** Programs by their names. All that they write, they write at once. */
export const mockPrograms: ReadonlyMap<string, MockProgram> = new Map<string, MockProgram>([
  ['', ({ end }) => end(0)],
  [
    'echo',
    ({ words, write, end }) => {
      write('stdout', `${words.join(' ')}\n`);
      end(0);
    },
  ],
  [
    'complain',
    ({ words, write, end }) => {
      write('stderr', `${words.join(' ')}\n`);
      end(1);
    },
  ],
  [
    'cat',
    ({ spec, write, end }) => {
      write('stdout', spec.stdin ?? '');
      end(0);
    },
  ],
  [
    'env',
    ({ spec, write, end }) => {
      for (const [name, value] of Object.entries(spec.env)) write('stdout', `${name}=${value}\n`);
      end(0);
    },
  ],
  ['sleep', ({ words, endAfter }) => endAfter(Number(words[0] ?? 0) * secondMs, Number(words[1] ?? 0))],
  ['exit', ({ words, end }) => end(Number(words[0] ?? 0))],
  [
    'spam',
    ({ words, write, end }) => {
      const chunk = 'y\n'.repeat(512);
      for (let left = Number(words[0] ?? 0); left > 0; left -= chunk.length) write('stdout', chunk.slice(0, left));
      end(0);
    },
  ],
  ['eat', ({ runOutOfMemory }) => runOutOfMemory()],
  ['stubborn', () => {}],
]);
