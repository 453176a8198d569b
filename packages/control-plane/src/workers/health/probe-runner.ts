/** Makes the probes of a service: several tries each, and a probe that breaks is no verdict on the service. */
import { type Clock, messageOf, withDeadline } from '@switchyard/kernel';
import type { Probe } from '@switchyard/protocol/control-api';
import type { ProbeResult } from './health-plan.ts';

export interface ProbeVerdict {
  readonly outcome: 'passed' | 'failed' | 'unknown';
  readonly message: string;
}

/** Asks one question once. `signal` aborts when its time is over. May throw: then the outcome is unknown. */
export type ProbeKind<Kind extends Probe['kind'] = Probe['kind']> = (
  probe: Extract<Probe, { kind: Kind }>,
  of: { readonly serviceId: string; readonly computeTarget: string; readonly signal: AbortSignal },
) => Promise<ProbeVerdict>;

export type ProbeKinds = { readonly [Kind in Probe['kind']]: ProbeKind<Kind> };

/** Tries of one probe before it counts as failed. */
const tries = 3;

export async function runProbes(
  { clock, kinds }: { readonly clock: Clock; readonly kinds: ProbeKinds },
  service: { readonly serviceId: string; readonly computeTarget: string },
  probes: readonly Probe[],
): Promise<readonly ProbeResult[]> {
  return Promise.all(
    probes.map(async (probe) => {
      let verdict: ProbeVerdict = { outcome: 'unknown', message: '' };
      for (let attempt = 0; attempt < tries && verdict.outcome !== 'passed'; attempt += 1) {
        verdict = await askOnce({ clock, kinds }, service, probe);
      }
      return { name: probe.name, purpose: probe.purpose, ...verdict };
    }),
  );
}

async function askOnce(
  { clock, kinds }: { readonly clock: Clock; readonly kinds: ProbeKinds },
  service: { readonly serviceId: string; readonly computeTarget: string },
  probe: Probe,
): Promise<ProbeVerdict> {
  const over = new AbortController();
  try {
    // The table pairs each kind with what asks it.
    const ask = kinds[probe.kind] as ProbeKind;
    const asked = ask(probe, { ...service, signal: over.signal });
    return await withDeadline(clock, probe.timeoutMs, asked, () => new ProbeTimeout(probe.timeoutMs));
  } catch (thrown) {
    const outcome = thrown instanceof ProbeTimeout ? 'failed' : 'unknown';
    return { outcome, message: messageOf(thrown) };
  } finally {
    over.abort();
  }
}

class ProbeTimeout extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}
