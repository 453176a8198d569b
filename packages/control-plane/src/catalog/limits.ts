/** How many revisions of an app's traffic are remembered. */
export const trafficHistoryLimit = 100;

/** How many deployments of an app are remembered. */
export const deploymentHistoryLimit = 50;

/** How many applications one page of a list holds, at most. */
export const applicationPageLimit = 1_000;

/** How long a write waits for another process that writes. */
export const lockTimeoutMs = 5_000;

/** How many keys an app may have. */
export const keyLimit = 200;

/** How many versions of an app are kept; older ones go, unless they have traffic. */
export const versionHistoryLimit = 50;
