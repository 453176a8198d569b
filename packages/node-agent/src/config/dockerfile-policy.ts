/**
 * Which images a Dockerfile draws in. Only what can be read without running it passes: a name that a build argument puts
 * together is refused, because nobody knows it before the build.
 */
import type { JobError } from '@switchyard/protocol/job-api';

/** Undefined when the Dockerfile may be built. `isAllowed` decides on images. */
export function checkDockerfile(text: string, isAllowed: (image: string) => boolean): JobError | undefined {
  const stages = new Set<string>();
  let count = 0;
  for (const line of logicalLines(text)) {
    const words = line.trim().split(/\s+/);
    const instruction = unwrap(words).map((word, index) => (index === 0 ? word.toUpperCase() : word));
    const [name = '', ...rest] = instruction;
    if (name === 'FROM') {
      const operands = rest.filter((word) => !word.startsWith('--'));
      const [image = ''] = operands;
      if (!isStage(image, stages, count) && image !== 'scratch') {
        const error = judge(image, isAllowed);
        if (error !== undefined) return error;
      }
      count += 1;
      if (operands[1]?.toUpperCase() === 'AS' && operands[2] !== undefined) stages.add(operands[2].toLowerCase());
      continue;
    }
    for (const image of importedBy(rest)) {
      const error = isStage(image, stages, count) ? undefined : judge(image, isAllowed);
      if (error !== undefined) return error;
    }
    if (name === 'ADD' && rest.some((word) => /^["[]*(?:https?|git|ssh|ftp):|^["[]*git@/i.test(word)))
      return invalid('ADD with an address would reach into the network. Put the file into the context instead.');
  }
  return count > 0 ? undefined : invalid('the Dockerfile has no FROM line.');
}

/** Images of `COPY --from=` and of `RUN --mount=...,from=`. */
function importedBy(words: readonly string[]): string[] {
  return words.flatMap((word) => {
    const copied = /^--from=(.*)$/i.exec(word)?.[1];
    const mounted = /^--mount=.*\bfrom=([^,]*)/i.exec(word)?.[1];
    return [copied, mounted].filter((image) => image !== undefined);
  });
}

/** What `ONBUILD` delays counts as if it stood there. */
function unwrap([first = '', ...rest]: readonly string[]): string[] {
  return first.toUpperCase() === 'ONBUILD' ? unwrap(rest) : [first, ...rest];
}

function isStage(name: string, stages: ReadonlySet<string>, count: number): boolean {
  return stages.has(name.toLowerCase()) || (/^\d+$/.test(name) && Number(name) < count);
}

function judge(image: string, isAllowed: (image: string) => boolean): JobError | undefined {
  if (image.includes('$'))
    return invalid(`'${image}' is put together by the build, so it cannot be checked. Write the image's name out.`);
  if (isAllowed(image)) return undefined;
  const message = `The Dockerfile builds upon '${image.slice(0, 200)}', which is not on this agent's allow list. Use another, or add it to allowed_images.`;
  return { code: 'IMAGE_NOT_ALLOWED', message };
}

function invalid(problem: string): JobError {
  return { code: 'INVALID_BUILD', message: `runtime.build.dockerfile cannot be used: ${problem}` };
}

/** Lines with their continuations joined; comments are left out. The directive that changes the sign for it counts at the top alone. */
function logicalLines(text: string): string[] {
  const continuation = /^(?:#\s*\w+\s*=.*\r?\n)*#\s*escape\s*=\s*`/i.test(text) ? /`\s*$/ : /\\\s*$/;
  const lines: string[] = [];
  let open = '';
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*#/.test(line)) continue;
    if (continuation.test(line)) {
      open += `${line.replace(continuation, '')} `;
    } else if (open === '' || line.trim() !== '') {
      lines.push(`${open}${line}`);
      open = '';
    }
  }
  return [...lines, open].filter((line) => line.trim() !== '');
}
