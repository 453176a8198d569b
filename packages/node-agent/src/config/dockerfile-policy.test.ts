import { describe, expect, it } from 'vitest';
import { checkDockerfile } from './dockerfile-policy.ts';

const check = (...lines: readonly string[]): string | undefined =>
  checkDockerfile(lines.join('\n'), (image) => image === 'good')?.code;

describe('checkDockerfile', () => {
  it.each([
    ['one image', ['FROM good']],
    ['nothing beneath', ['FROM scratch', 'COPY a /']],
    ['stages by name and number', ['FROM good AS base', 'FROM base', 'COPY --from=0 /a /b', 'COPY --from=BASE /a /b']],
    ['flags and small letters', ['from --platform=linux/amd64 good as x']],
    ['comments and continuations', ['# FROM bad', 'FROM \\', '  good', 'RUN a && \\', '  # a comment', '  b']],
    ['a heredoc of commands', ['FROM good', 'RUN <<EOF', 'echo hi', 'EOF']],
  ])('lets pass: %s', (_, lines) => {
    expect(check(...lines)).toBeUndefined();
  });

  it.each([
    ['another image', ['FROM bad'], 'IMAGE_NOT_ALLOWED'],
    ['another image in a later stage', ['FROM good', 'FROM bad'], 'IMAGE_NOT_ALLOWED'],
    ['copying from another image', ['FROM good', 'COPY --from=bad /a /b'], 'IMAGE_NOT_ALLOWED'],
    ['mounting another image', ['FROM good', 'RUN --mount=type=bind,from=bad,target=/x ls'], 'IMAGE_NOT_ALLOWED'],
    ['a stage that comes later', ['FROM late', 'FROM good AS late'], 'IMAGE_NOT_ALLOWED'],
    ['a number that no stage has', ['FROM good', 'COPY --from=3 /a /b'], 'IMAGE_NOT_ALLOWED'],
    ['what is delayed', ['FROM good', 'ONBUILD COPY --from=bad /a /b'], 'IMAGE_NOT_ALLOWED'],
    ['another sign for continuations', ['# escape=`', 'FROM `', 'bad'], 'IMAGE_NOT_ALLOWED'],
    ['a name from an argument', ['ARG BASE=good', 'FROM $BASE'], 'INVALID_BUILD'],
    ['an address', ['FROM good', 'ADD https://example.com/x /x'], 'INVALID_BUILD'],
    ['an address in a list', ['FROM good', 'ADD ["https://example.com/x", "/x"]'], 'INVALID_BUILD'],
    ['a git address', ['FROM good', 'ADD git@example.com:x.git /x'], 'INVALID_BUILD'],
    ['nothing to build upon', ['RUN true'], 'INVALID_BUILD'],
    ['nothing at all', [''], 'INVALID_BUILD'],
  ])('refuses: %s', (_, lines, code) => {
    expect(check(...lines)).toBe(code);
  });
});
