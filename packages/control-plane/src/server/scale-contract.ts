import type {
  AppScaleView,
  ChangeRollout,
  RolloutAnswer,
  ScaleView,
  StartRollout,
  TenantQuota,
  TenantQuotaView,
  Trace,
} from '@switchyard/protocol/control-api';

/** Who asks for a roll-out, and the trace of all that follows from it. */
export interface RolloutAsker {
  readonly subject: string;
  readonly trace?: Trace;
}

/**
 * What the scale controller answers and does for the control API. Apps that it is asked about exist. Whatever it throws
 * should be a PlatformError that can be shown.
 */
export interface ScaleOperations {
  view(applicationId: string): Promise<ScaleView>;
  /** `revision` is what the writer has seen; undefined lets the last writer win. */
  put(applicationId: string, scale: AppScaleView, revision: number | undefined): Promise<ScaleView>;
  quota(tenantId: string): Promise<TenantQuotaView>;
  putQuota(tenantId: string, quota: TenantQuota, revision: number | undefined): Promise<TenantQuotaView>;
  /** The roll-out that is under way, or the last one; undefined when there was none. */
  rollout(applicationId: string): Promise<RolloutAnswer | undefined>;
  startRollout(applicationId: string, request: StartRollout, by: RolloutAsker): Promise<RolloutAnswer>;
  changeRollout(applicationId: string, action: ChangeRollout['action'], by: RolloutAsker): Promise<RolloutAnswer>;
}
