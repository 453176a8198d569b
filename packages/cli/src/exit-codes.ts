/** Every exit code of `switchyard`; the help lists them. */
export const exitCodes = {
  done: { code: 0, meaning: 'done, or stopped by Ctrl-C after everything in flight had ended' },
  failed: { code: 1, meaning: 'failed; the message says why' },
  usage: {
    code: 2,
    meaning:
      'the command line or the app is at fault: an unknown flag, a missing folder, a host.json that is not valid',
  },
  machine: {
    code: 3,
    meaning: 'the machine does not allow it: a port in use, a file that cannot be read or written',
  },
  interrupted: { code: 130, meaning: 'stopped by Ctrl-C before it was done, or at once by a second one' },
} as const;
