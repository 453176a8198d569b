import type { ProcessLaunch, ProcessObserver, ProcessPort } from '../process-port.ts';

/** A process that does what a test tells it. */
export interface FakeProcess {
  readonly launch: ProcessLaunch;
  /** Every signal it got, in order. */
  readonly signals: readonly string[];
  print(stream: 'stdout' | 'stderr', text: string): void;
  /** The process is gone; its console stays open until `endConsole`. */
  exit(exitCode: number | null, signal?: string): void;
  endConsole(): void;
  /** Gone, and its console with it. */
  end(exitCode: number | null, signal?: string): void;
  /** It could not be started after all. */
  fail(reason: string): void;
}

export interface FakeProcesses extends ProcessPort {
  readonly started: readonly FakeProcess[];
  /** The process started as number `index`. */
  at(index: number): FakeProcess;
}

/** A process port without processes. `obedient` ones end on SIGTERM; all end on SIGKILL. */
export function createFakeProcesses(options: { readonly obedient: boolean }): FakeProcesses {
  const started: FakeProcess[] = [];
  return {
    started,
    at(index) {
      const found = started[index];
      if (found === undefined) throw new Error(`only ${started.length} processes were started`);
      return found;
    },
    spawn(launch, observer) {
      const { fake, kill } = createFakeProcess(launch, observer, options.obedient);
      started.push(fake);
      return { pid: started.length, kill };
    },
  };
}

function createFakeProcess(
  launch: ProcessLaunch,
  observer: ProcessObserver,
  obedient: boolean,
): { readonly fake: FakeProcess; readonly kill: (signal: 'SIGTERM' | 'SIGKILL') => void } {
  const signals: string[] = [];
  let alive = true;
  const fake: FakeProcess = {
    launch,
    signals,
    print: (stream, text) => observer.output(stream, new TextEncoder().encode(text)),
    exit(exitCode, signal) {
      alive = false;
      observer.exited(exitCode, signal ?? null);
    },
    endConsole() {
      observer.outputEnded('stdout');
      observer.outputEnded('stderr');
    },
    end(exitCode, signal) {
      fake.endConsole();
      fake.exit(exitCode, signal);
    },
    fail(reason) {
      alive = false;
      observer.failed(reason);
    },
  };
  const kill = (signal: 'SIGTERM' | 'SIGKILL'): void => {
    if (!alive) return;
    signals.push(signal);
    if (obedient || signal === 'SIGKILL') fake.end(null, signal);
  };
  return { fake, kill };
}
