/** For tests of compute targets in other packages. */

export { ScriptedCluster } from './scripted-cluster.ts';
export { describeTargetContract, type TargetBench } from './target-contract.ts';
