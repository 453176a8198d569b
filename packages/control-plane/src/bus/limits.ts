/** Named limits of the bus. */
export const busLimits = {
  /** The most that one `receive` gives. */
  receiveBatch: 256,
  /** The most that one `publish` takes. */
  publishBatch: 1_000,
  /** Failed deliveries that an event remembers; older ones go. */
  history: 32,
  /** Events that one subscription holds; a publication beyond it is refused (BUS_FULL). */
  queued: 1_000_000,
  /** Dead letters on one page. */
  deadLetterPage: 500,
  /** Characters of a reason and of a description. */
  reasonLength: 64,
  descriptionLength: 1_024,
  /** Characters of an ordering key. */
  orderingKeyLength: 128,
  /** How long ids are remembered against duplicates: the window of Service Bus unless told otherwise. */
  duplicateWindowMs: 600_000,
} as const;

/** How a subscription delivers unless told otherwise. The waits are 1 s, 2 s, 4 s ... 60 s, with full jitter. */
export const subscriptionDefaults = {
  maxDeliveries: 6,
  lockMs: 30_000,
  backoff: { minimumMs: 1_000, maximumMs: 60_000, factor: 2, jitter: 0.5 },
} as const;
