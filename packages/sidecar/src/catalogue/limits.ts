/** The bounds of what a worker.config.json may make the host do. */
export const catalogueLimits = {
  /** The longest worker.config.json, in characters. */
  configLength: 262_144,
  /** Profiles in one file. */
  profiles: 64,
  /** Conditions in one profile. */
  conditions: 32,
  /** The longest expression of a condition or a version, in characters. */
  expressionLength: 1_024,
  /** The longest value that an expression is tried on, in characters. */
  expressionInputLength: 8_192,
  /** How long one expression may compute. */
  expressionTimeoutMs: 100,
  /** How often it is run at most until it has had its time, when a busy machine does not let it compute. */
  expressionRuns: 50,
  /** Worker folders in one directory. */
  folders: 256,
} as const;
