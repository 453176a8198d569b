/** Worker processes without processes: each one is a fake worker that dials where its command line says. */
import type { Link } from '@switchyard/protocol';
import type { ProcessLaunch, ProcessObserver, ProcessPort } from '@switchyard/sidecar';
import { createFakeWorker, type FakeWorker, type FakeWorkerOptions } from '@switchyard/testkit';

export interface FleetWorker extends FakeWorker {
  readonly launch: ProcessLaunch;
  isAlive(): boolean;
  print(stream: 'stdout' | 'stderr', line: string): void;
  /** The process dies. */
  die(exitCode: number): void;
}

export interface FakeFleet extends ProcessPort {
  /** Every worker that was started, in order. */
  readonly workers: readonly FleetWorker[];
  /** What workers started from now on do. */
  options: Partial<FakeWorkerOptions>;
}

/** `dial` opens a stream from a worker to whoever takes it. */
export function createFakeFleet(dial: () => Link): FakeFleet {
  const workers: FleetWorker[] = [];
  const fleet: FakeFleet = {
    workers,
    options: {},
    spawn(launch, observer) {
      const started = startWorker(launch, observer, dial, fleet.options);
      workers.push(started.worker);
      return { pid: workers.length, kill: started.kill };
    },
  };
  return fleet;
}

function startWorker(
  launch: ProcessLaunch,
  observer: ProcessObserver,
  dial: () => Link,
  options: Partial<FakeWorkerOptions>,
): { readonly worker: FleetWorker; readonly kill: (signal: string) => void } {
  const workerId = launch.arguments[launch.arguments.indexOf('--workerId') + 1] ?? '';
  const link = dial();
  let alive = true;
  const exit = (exitCode: number | null, signal: string | null): void => {
    if (!alive) return;
    alive = false;
    observer.outputEnded('stdout');
    observer.outputEnded('stderr');
    observer.exited(exitCode, signal);
  };
  const fake = createFakeWorker(link, { functions: [{ name: 'hello' }], ...options, workerId });
  // As official workers do, it exits when its stream is over.
  void link.closed.then(() => exit(0, null));
  const worker: FleetWorker = {
    ...fake,
    launch,
    isAlive: () => alive,
    print: (stream, line) => observer.output(stream, new TextEncoder().encode(`${line}\n`)),
    die(exitCode) {
      fake.crash();
      exit(exitCode, null);
    },
  };
  const kill = (signal: string): void => {
    if (!alive) return;
    fake.crash();
    exit(null, signal);
  };
  return { worker, kill };
}
