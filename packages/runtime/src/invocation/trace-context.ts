import type { Random } from '@switchyard/kernel';

/** W3C trace context of one invocation. */
export interface TraceContext {
  readonly traceParent: string;
  readonly traceState: string;
  /** The caller's span; undefined when the invocation begins the trace. */
  readonly parentSpanId?: string;
}

/** Version, trace id, parent id, flags; later versions may append fields (W3C Trace Context, section 3.2). */
const traceParentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const noTrace = '0'.repeat(32);
const noSpan = '0'.repeat(16);

/** Bytes drawn at once: chance is cheap by the block and dear by the byte. */
const poolBytes = 4_096;
const spanBytes = 8;
const traceBytes = 16;

/**
 * Makes the context that a worker gets: a span of its own under the caller's trace, with the caller's sampling decision
 * and state; a new, sampled trace when the caller sent none or a broken one.
 */
export class TraceContexts {
  readonly #random: Random;
  #pool: Buffer = Buffer.alloc(0);
  #position = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  childOf(traceParent: string | undefined, traceState: string | undefined): TraceContext {
    const parent = traceParent === undefined ? undefined : parseTraceParent(traceParent);
    if (parent === undefined) {
      return { traceParent: `00-${this.#hex(traceBytes)}-${this.#hex(spanBytes)}-01`, traceState: '' };
    }
    return {
      traceParent: `00-${parent.traceId}-${this.#hex(spanBytes)}-${parent.flags}`,
      traceState: traceState ?? '',
      parentSpanId: parent.parentId,
    };
  }

  #hex(sizeBytes: number): string {
    if (this.#position + sizeBytes > this.#pool.byteLength) {
      const { buffer, byteOffset, byteLength } = this.#random.bytes(poolBytes);
      this.#pool = Buffer.from(buffer, byteOffset, byteLength);
      this.#position = 0;
    }
    const hex = this.#pool.toString('hex', this.#position, this.#position + sizeBytes);
    this.#position += sizeBytes;
    return hex;
  }
}

/** The parts of a `traceparent` header that go on; undefined when it is no such header. */
export function parseTraceParent(
  text: string,
): { readonly traceId: string; readonly parentId: string; readonly flags: string } | undefined {
  const match = traceParentPattern.exec(text);
  if (match === null) return undefined;
  const [, version, traceId = '', parentId = '', flags = '00', rest] = match;
  if (version === 'ff' || traceId === noTrace || parentId === noSpan) return undefined;
  if (version === '00' && rest !== undefined) return undefined;
  // Only the sampled bit has a meaning in the version that we send on.
  const isSampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, parentId, flags: isSampled ? '01' : '00' };
}
