/** Runs a program of the bundle with Node 24. */
export function launch(name: string): Promise<void>;
