/**
 * Runs `work` when the code that runs now has come to its end, before anything else happens in the process. It waits for two
 * microtasks: awaiting a call sends the request in the first of them, and asks for the answer in the second.
 */
export function afterThisTurn(work: () => void): void {
  void Promise.resolve()
    .then(() => {})
    .then(work);
}
