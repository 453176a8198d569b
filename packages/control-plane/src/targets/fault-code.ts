import { isPlatformError } from '@switchyard/kernel';

/** The code of what a compute target threw, also where an installation elsewhere has told of it. */
export function faultCodeOf(thrown: unknown): { readonly code?: string } {
  if (!isPlatformError(thrown)) return {};
  const { problem } = thrown.details;
  return { code: typeof problem === 'string' ? problem : thrown.code };
}
