/** Names of storage queues. */

/** 3 to 63 lower-case letters, digits and single dashes, with a letter or digit at both ends. */
const namePattern = /^(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*$/;

const poisonSuffix = '-poison';

export function isQueueName(name: string): boolean {
  return namePattern.test(name);
}

/** The queue that takes what cannot be handled; none for a poison queue itself, nor where the name would be too long. */
export function poisonQueueName(name: string): string | undefined {
  const poison = `${name}${poisonSuffix}`;
  return name.endsWith(poisonSuffix) || !isQueueName(poison) ? undefined : poison;
}
