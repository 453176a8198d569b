/** What `switchyard caps` can be told to do. */
export const capsVerbs = ['ls', 'stats', 'warm', 'rollout', 'drain', 'add', 'remove', 'serve'] as const;

export type CapsVerb = (typeof capsVerbs)[number];

export function isCapsVerb(word: string): word is CapsVerb {
  return capsVerbs.some((verb) => verb === word);
}
