/**
 * npm runs a script through a shell, and hands a request to stop to that shell alone, which ends without a word to what it
 * has started: whoever ends `npm start` would leave a platform behind.
 */

/** A shell that has ended is noticed after so long at most. */
const watchMs = 250;

/** Takes a parent that is gone for a request to stop, in a process that npm has started. Keeps no process alive. */
export function stopWithShell() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, watchMs);
  timer.unref();
}
