/**
 * Where controllers keep what must outlive them, and by which several of them agree: documents that change only when the
 * writer has seen the latest version.
 *
 * Revisions are drawn from one sequence for the whole store and never used again, also after a document was removed, so that a
 * revision is a fencing token: whoever holds a greater one has written later.
 */
export interface ScaleStore {
  read(kind: DocumentKind, key: string): Promise<ScaleDocument | undefined>;
  /** Every document of a kind, in order of key. */
  list(kind: DocumentKind): Promise<readonly ScaleDocument[]>;
  /** Writes when the document is at `expected`: its revision, or 0 when there must be none. */
  write(kind: DocumentKind, key: string, body: unknown, expected: number): Promise<WriteOutcome>;
  /** Removes the document when it is at `expected`. False when it is not. */
  remove(kind: DocumentKind, key: string, expected: number): Promise<boolean>;
  close(): Promise<void>;
}

/** `scale`: what an owner said; `quota`: what a tenant may have; `lease`: who decides; `claim`: who takes a placeholder; `rollout`: a roll-out's progress; `home`: on which Runtimes an app is. */
export type DocumentKind = 'scale' | 'quota' | 'lease' | 'claim' | 'rollout' | 'home';

export interface ScaleDocument {
  readonly key: string;
  readonly revision: number;
  /** As it was written, through JSON. */
  readonly body: unknown;
}

export type WriteOutcome =
  | { readonly kind: 'written'; readonly revision: number }
  /** Somebody else was first; `present` is what there is now. */
  | { readonly kind: 'conflict'; readonly present: ScaleDocument | undefined };

/** The most bytes of one document. */
export const maxDocumentBytes = 262_144;

/** The longest key. */
export const maxKeyCharacters = 500;
