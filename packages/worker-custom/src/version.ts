/** The worker's version, as it tells hosts; equal to the package's. */
export const workerVersion = '0.1.0';
