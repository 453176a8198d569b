import { describeVaultContract } from '../targets/testing/vault-contract.ts';
import { MemoryVault } from './memory-vault.ts';

describeVaultContract('in memory', async () => ({ vault: new MemoryVault(), close: async () => {} }));
