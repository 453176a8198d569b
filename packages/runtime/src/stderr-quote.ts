/** The last lines of stderr as the end of a message; empty when there are none. */
export function quoteStderr(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${stderrHeading}${lines.map((line) => `  ${line}`).join('\n')}`;
}

/** A message without the lines of stderr that it quotes. */
export function withoutStderr(message: string): string {
  return message.split(stderrHeading, 1)[0] ?? '';
}

const stderrHeading = ' Its last output was:\n';
