import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@switchyard/kernel';

/** The file that takes an app offline while it is there, with what callers are told meanwhile. */
const fileName = 'app_offline.htm';

/** How long the last look at the folder counts, in milliseconds. */
const lookEveryMs = 500;

/** Gives the text of the app's app_offline.htm, or undefined when it has none. Looks into the folder twice a second at most. */
export function createOfflinePage(clock: Clock, directory: string): () => string | undefined {
  const file = join(directory, fileName);
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let page: string | undefined;
  return () => {
    const nowMs = clock.monotonic();
    if (nowMs - lookedAtMs >= lookEveryMs) {
      lookedAtMs = nowMs;
      page = readText(file);
    }
    return page;
  };
}

/** A file that cannot be read is as good as none: the app stays online. */
function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
