/**
 * The external scaler that KEDA asks how many Runtimes a cluster needs: the workers that all apps want, over the workers that
 * one Runtime takes. What lies within a Runtime is the scale loop's business.
 *
 * A ScaledObject names what it wants in its metadata: `workersPerRuntime` (20 unless named), and `app` for the workers of one
 * app alone.
 *
 * I1 The metric is the whole of the demand: KEDA divides it by the target itself.
 * I2 Metadata that is not understood is refused with what is wrong; nothing is guessed.
 * I3 A stream says what holds when it begins and every change, until the caller is gone; then no timer is left.
 */
import { type Clock, isPlatformError, type Timer } from '@switchyard/kernel';
import { isApplicationId } from '@switchyard/model';
import { externalScaler, type Link, type RpcMethod } from '@switchyard/protocol';
import { scaleErrors } from '../errors.ts';
import type { ScaledRuntime } from '../loop/scaled-runtime.ts';

const { GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse, ScaledObjectRef } =
  externalScaler;

export interface ExternalScalerDeps {
  readonly clock: Clock;
  /** Every Runtime of the installation. */
  readonly runtimes: () => readonly Pick<ScaledRuntime, 'load'>[];
}

/** The name of the one metric; Kubernetes wants it in lower case. */
const metricName = 'switchyard-workers';

const defaultWorkersPerRuntime = 20;
const mostWorkersPerRuntime = 1_000;

/** How often a stream looks. */
const streamMs = 1_000;

interface Wish {
  readonly workersPerRuntime: number;
  readonly applicationId: string | undefined;
}

/** The methods, for a server of the composition root. */
export function createExternalScaler(deps: ExternalScalerDeps): Readonly<Record<string, RpcMethod>> {
  const path = (method: string): string => `/externalscaler.ExternalScaler/${method}`;
  return {
    [path('IsActive')]: {
      kind: 'unary',
      call: (request) => {
        const wish = readWish(ScaledObjectRef.decode(request));
        return IsActiveResponse.encode({ result: isActive(deps, wish) }).finish();
      },
    },
    [path('StreamIsActive')]: { kind: 'stream', open: (link) => streamActivity(deps, link) },
    [path('GetMetricSpec')]: {
      kind: 'unary',
      call: (request) => {
        const { workersPerRuntime: target } = readWish(ScaledObjectRef.decode(request));
        const metricSpecs = [{ metricName, targetSize: BigInt(target), targetSizeFloat: target }];
        return GetMetricSpecResponse.encode({ metricSpecs }).finish();
      },
    },
    [path('GetMetrics')]: {
      kind: 'unary',
      call: (request) => {
        const { scaledObjectRef, metricName: asked } = GetMetricsRequest.decode(request);
        if (asked !== metricName) refuse(`the metric is called ${metricName}, not '${asked.slice(0, 80)}'`);
        const workers = workersWanted(deps, readWish(scaledObjectRef));
        const metricValues = [{ metricName, metricValue: BigInt(workers), metricValueFloat: workers }];
        return GetMetricsResponse.encode({ metricValues }).finish();
      },
    },
  };
}

function workersWanted({ runtimes }: ExternalScalerDeps, { applicationId }: Wish): number {
  let workers = 0;
  for (const runtime of runtimes()) {
    for (const { wantedCount } of runtime.load(applicationId)) workers += wantedCount;
  }
  return workers;
}

/** True while somebody wants a worker, or waits for one. */
function isActive({ runtimes }: ExternalScalerDeps, { applicationId }: Wish): boolean {
  return runtimes().some((runtime) =>
    runtime
      .load(applicationId)
      .some(
        ({ wantedCount, waitingCount, functions }) =>
          wantedCount > 0 || waitingCount > 0 || functions.some(({ activeCount }) => activeCount > 0),
      ),
  );
}

function streamActivity(deps: ExternalScalerDeps, link: Link): void {
  let timer: Timer | undefined;
  let told: boolean | undefined;
  const look = (wish: Wish): void => {
    const now = isActive(deps, wish);
    if (now !== told) link.send(IsActiveResponse.encode({ result: now }).finish());
    told = now;
    timer = deps.clock.schedule(streamMs, () => look(wish));
  };
  link.receive({
    frame: (bytes) => {
      if (timer !== undefined) return;
      try {
        look(readWish(ScaledObjectRef.decode(bytes)));
      } catch (thrown) {
        if (!isPlatformError(thrown)) throw thrown;
        link.end({ code: thrown.definition.grpc, message: thrown.message });
      }
    },
  });
  void link.closed.then(() => timer?.cancel());
}

function readWish(reference: externalScaler.ScaledObjectRef | undefined): Wish {
  const metadata = reference?.scalerMetadata ?? new Map<string, string>();
  const known = new Set(['workersPerRuntime', 'app', 'scalerAddress']);
  for (const name of metadata.keys()) {
    if (!known.has(name)) refuse(`'${name.slice(0, 80)}' is not known; ${[...known].join(', ')} are`);
  }
  const text = metadata.get('workersPerRuntime') ?? String(defaultWorkersPerRuntime);
  const workersPerRuntime = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (workersPerRuntime < 1 || workersPerRuntime > mostWorkersPerRuntime) {
    refuse(`workersPerRuntime must be a whole number from 1 to ${mostWorkersPerRuntime}, not '${text.slice(0, 80)}'`);
  }
  const applicationId = metadata.get('app');
  if (applicationId !== undefined && !isApplicationId(applicationId)) {
    refuse(`'${applicationId.slice(0, 80)}' is no name of an app`);
  }
  return { workersPerRuntime, applicationId };
}

function refuse(reason: string): never {
  throw scaleErrors.create('SCALER_METADATA_INVALID', { reason });
}
