import { isRenewalDue } from './transient-map.ts';

/** A set whose members come and go quickly: to `Set` what `TransientMap` is to `Map`, for the same reason, with I1 to I3. */
export class TransientSet<Member> {
  #members = new Set<Member>();
  #removals = 0;

  get size(): number {
    return this.#members.size;
  }

  has(member: Member): boolean {
    return this.#members.has(member);
  }

  add(member: Member): this {
    this.#members.add(member);
    return this;
  }

  /** True when it was a member. */
  delete(member: Member): boolean {
    if (!this.#members.delete(member)) return false;
    this.#removals += 1;
    if (isRenewalDue(this.#removals, this.#members.size)) this.#renew(this.#members);
    return true;
  }

  clear(): void {
    this.#renew();
  }

  values(): SetIterator<Member> {
    return this.#members.values();
  }

  [Symbol.iterator](): SetIterator<Member> {
    return this.#members[Symbol.iterator]();
  }

  #renew(kept?: Iterable<Member>): void {
    this.#members = new Set(kept);
    this.#removals = 0;
  }
}
