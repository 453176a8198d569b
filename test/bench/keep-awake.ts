import { spawn } from 'node:child_process';
import { availableParallelism, constants, setPriority } from 'node:os';

/**
 * Keeps every processor from falling asleep until the answered function is called, by loops of the lowest priority. On a virtual
 * machine waking a processor costs several times what a message between two threads does, and whoever computes a little between
 * two messages pays it, which a bare ping-pong does not: without this the machine's sleep is measured.
 */
export function keepProcessorsAwake(): () => void {
  const loops = Array.from({ length: availableParallelism() }, () => {
    const loop = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
    if (loop.pid !== undefined) setPriority(loop.pid, constants.priority.PRIORITY_LOW);
    return loop;
  });
  return () => {
    for (const loop of loops) loop.kill('SIGKILL');
  };
}
