/** For tests of compute targets in other packages. */

export { ScriptedArm } from './scripted-arm.ts';
export { ScriptedCluster } from './scripted-cluster.ts';
export { ScriptedContainerApps } from './scripted-container-apps.ts';
export { ScriptedKeyVault } from './scripted-key-vault.ts';
export { describeTargetContract, type TargetBench } from './target-contract.ts';
