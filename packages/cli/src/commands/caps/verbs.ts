/** What `switchyard caps` can be told to do. */
export const capsVerbs = ['ls', 'stats', 'warm', 'rollout', 'drain', 'add', 'remove', 'serve', 'host'] as const;

export type CapsVerb = (typeof capsVerbs)[number];

/** Those that ask a running broker. */
export type BrokerVerb = Exclude<CapsVerb, 'serve' | 'host'>;

export function isCapsVerb(word: string): word is CapsVerb {
  return capsVerbs.some((verb) => verb === word);
}
