/** Identity, function metadata, bindings, host.json, schedules and routes: pure. */
export {
  type ApplicationDefinition,
  isApplicationId,
  jobHostKey,
  type Stack,
  toApplicationId,
} from './application.ts';
export type {
  BindingDataType,
  BindingDirection,
  BindingMetadata,
  FunctionIndex,
  FunctionMetadata,
  RejectedFunction,
  RetryPolicy,
} from './function-metadata.ts';
