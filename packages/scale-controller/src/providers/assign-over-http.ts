/** An assignment to a sidecar that answers on a port of its own. */
import { messageOf, type PlatformError, type Secret } from '@switchyard/kernel';
import { type Assignment, type AssignOutcome, toAssignmentJson } from '@switchyard/protocol';
import type { HttpExchange } from '@switchyard/protocol/http-exchange';
import { z } from 'zod';

export interface AssignOverHttpDeps {
  readonly exchange: HttpExchange;
  /** What the sidecar asks for; left out where it asks for nothing. */
  readonly token: Secret | undefined;
  readonly toError: (reason: string) => PlatformError;
}

/** Never rejects. One whose end nobody knows counts as failed and tainted; a sidecar that refuses has seen nothing. */
export async function assignOverHttp(
  { exchange, token, toError }: AssignOverHttpDeps,
  sidecarUrl: string,
  assignment: Assignment,
): Promise<AssignOutcome> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` };
  try {
    const { status, text } = await exchange({
      method: 'POST',
      url: `${sidecarUrl}/assign`,
      headers: { 'content-type': 'application/json', ...authorization },
      body: JSON.stringify(toAssignmentJson(assignment)),
    });
    return status === 200 ? { kind: 'assigned' } : toFailure(text, toError);
  } catch (thrown) {
    return { kind: 'failed', error: toError(messageOf(thrown)), tainted: true };
  }
}

/** One that failed says whether it has seen the app. */
function toFailure(text: string, toError: AssignOverHttpDeps['toError']): AssignOutcome {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    given = undefined;
  }
  const reading = replySchema.safeParse(given);
  if (!reading.success) return { kind: 'failed', error: toError(text.slice(0, 200)), tainted: true };
  const { tainted, message } = reading.data;
  const error = toError(message);
  return tainted === undefined ? { kind: 'refused', error } : { kind: 'failed', error, tainted };
}

const replySchema = z.object({ message: z.string(), tainted: z.boolean().optional() });
