import type { Assignment, AssignOutcome, Pod, PodProvider } from '@switchyard/protocol';
import type { HttpReply } from '@switchyard/protocol/http-exchange';
import { nodeStack } from './fake-provider.ts';
import type { SuiteTools } from './store-contract.ts';

/** A provider of pods that run elsewhere, and the hands of a test on what runs them. */
export interface ProviderRun {
  readonly provider: PodProvider & Required<Pick<PodProvider, 'usageOf'>> & { close(graceMs: number): Promise<void> };
  /** Lets the time pass in which it looks at its pods. */
  pass(): Promise<void>;
  /** The sidecar of a pod becomes ready. */
  becomeReady(workerId: string): void;
  /** The program of a pod ends by itself. */
  exit(workerId: string, exitCode: number): void;
  /** Pods that run there now. */
  running(): readonly string[];
  /** Whoever runs pods takes no more. */
  refuse(reason: string): void;
  /** What sidecars answer to an assignment from now on, or that none comes. */
  answer(reply: HttpReply | Error): void;
  /** What sidecars answer to who asks for their health from now on, or that nothing comes. */
  health(reply: HttpReply | Error): void;
  /** The tokens that assignments carried. */
  readonly tokens: readonly (string | undefined)[];
}

export const sampleAssignment: Assignment = {
  runtimeEndpoint: 'https://runtime:50051',
  application: { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' },
  tenantId: 'contoso',
  content: { kind: 'folder', scriptRoot: '/app' },
  environment: new Map(),
  token: undefined,
};

/** What every provider of pods that run elsewhere must do. */
export function podProviderContract({ it, equal }: SuiteTools, open: () => ProviderRun): void {
  const start = async (run: ProviderRun): Promise<{ readonly pod: Pod; readonly seen: string[] }> => {
    const pod = run.provider.startPod(nodeStack);
    const seen: string[] = [];
    pod.warm.then(
      () => seen.push('warm'),
      () => seen.push('never warm'),
    );
    void pod.ended.then(({ exitCode }) => seen.push(`ended ${exitCode}`));
    await run.pass();
    return { pod, seen };
  };
  const reasonOf = async ({ warm }: Pod): Promise<string> => String(await warm.catch((thrown: unknown) => thrown));

  it('a pod is warm once, takes an app with a token of its own, and ends when it is stopped', async () => {
    const run = open();
    const { pod, seen } = await start(run);
    equal([seen, run.running(), (await pod.assign(sampleAssignment)).kind], [[], [pod.workerId], 'refused']);
    run.becomeReady(pod.workerId);
    await run.pass();
    run.answer({ status: 200, text: '{}' });
    equal([seen, await pod.assign(sampleAssignment)], [['warm'], { kind: 'assigned' }]);
    equal(run.tokens, [`Bearer for ${pod.workerId}`]);
    pod.stop(1_000);
    pod.stop(0);
    await run.pass();
    equal([seen, run.running()], [['warm', 'ended null'], []]);
  });

  it('a pod that ends by itself says how, and harms no other', async () => {
    const run = open();
    const [first, second] = [await start(run), await start(run)];
    run.becomeReady(first.pod.workerId);
    run.becomeReady(second.pod.workerId);
    await run.pass();
    run.exit(first.pod.workerId, 137);
    await run.pass();
    equal([first.seen, second.seen], [['warm', 'ended 137'], ['warm']]);
  });

  it('a pod that nobody takes, or that has no image, ends with the reason', async () => {
    const run = open();
    equal((await reasonOf(run.provider.startPod({ ...nodeStack, version: '18' }))).includes('no image'), true);
    run.refuse('the quota is used up');
    const { pod, seen } = await start(run);
    equal([seen.sort(), run.running()], [['ended null', 'never warm'], []]);
    equal((await reasonOf(pod)).includes('the quota is used up'), true);
  });

  it('takes what a sidecar answers for what it is', async () => {
    const run = open();
    const { pod } = await start(run);
    run.becomeReady(pod.workerId);
    await run.pass();
    const outcomeOf = async (reply: HttpReply | Error): Promise<unknown> => {
      run.answer(reply);
      const outcome: AssignOutcome = await pod.assign(sampleAssignment);
      return outcome.kind === 'failed' ? outcome.tainted : outcome.kind;
    };
    equal(await outcomeOf(new Error('the connection broke')), true);
    equal(await outcomeOf({ status: 500, text: '{"message":"it did not load","tainted":true}' }), true);
    equal(await outcomeOf({ status: 503, text: '{"message":"no Runtime","tainted":false}' }), false);
    equal(await outcomeOf({ status: 409, text: '{"message":"it serves another app"}' }), 'refused');
    equal(await outcomeOf({ status: 502, text: '<html>' }), true);
  });

  it('tells what the workers of apps use, as their sidecars measure it, and nothing that is too old', async () => {
    const run = open();
    const [serving, waiting] = [await start(run), await start(run)];
    run.becomeReady(serving.pod.workerId);
    run.becomeReady(waiting.pod.workerId);
    await run.pass();
    run.answer({ status: 200, text: '{}' });
    await serving.pod.assign(sampleAssignment);
    const usage = { at_ms: 1_000, cpu_ms: 500, memory_bytes: 60_000_000, cpu_limit: 0.5 };
    // One that has lost its Runtime for a moment goes on to measure.
    run.health({ status: 503, text: JSON.stringify({ status: 'Unhealthy', data: { usage } }) });
    await run.pass();
    const known = { atMs: 1_000, cpuMs: 500, memoryBytes: 60_000_000, cpuLimit: 0.5 };
    equal(run.provider.usageOf(serving.pod.workerId), known);
    equal(run.provider.usageOf(waiting.pod.workerId), undefined);
    run.health({ status: 200, text: '{"status":"Healthy","data":{}}' });
    await run.pass();
    equal(run.provider.usageOf(serving.pod.workerId), known);
    run.health(new Error('it does not answer'));
    for (let time = 0; time < 3; time += 1) await run.pass();
    equal(run.provider.usageOf(serving.pod.workerId), undefined);
  });

  it('leaves nothing behind when it is closed, and starts nothing more', async () => {
    const run = open();
    const { pod, seen } = await start(run);
    run.becomeReady(pod.workerId);
    await run.pass();
    await run.provider.close(1_000);
    await run.pass();
    equal([seen, run.running()], [['warm', 'ended null'], []]);
    equal((await reasonOf(run.provider.startPod(nodeStack))).includes('closed'), true);
  });
}
