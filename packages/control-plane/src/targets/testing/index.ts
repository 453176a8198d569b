/** For tests of compute targets in other packages. */
export { describeTargetContract, type TargetBench } from './target-contract.ts';
