/**
 * Runs a command with another Node as if it were this process: same console, signals passed on, same exit code. The
 * child holds a channel to this process and sees it close when this process is killed, so it never outlives it.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** What a terminal, a process manager or a shell sends to make a program stop or look again. */
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];

/** What shells answer for a program that a signal ended: 128 and the number of the signal. */
const signalExitBase = 128;

/** Resolves with the exit code; rejects when the command cannot be started. */
export function runNode(path, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { ...options, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    const forward = (signal) => child.kill(signal);
    // Windows knows some of the names only; what it does not know cannot arrive either.
    const signals = forwarded.filter((signal) => signal in constants.signals);
    for (const signal of signals) process.on(signal, forward);
    const done = () => {
      for (const signal of signals) process.removeListener(signal, forward);
    };
    child.once('error', (error) => {
      done();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      done();
      resolve(code ?? signalExitBase + (constants.signals[signal] ?? 0));
    });
  });
}
