/** The file that hosts load for `crypto`. */
import { systemClock, systemRandom } from '@switchyard/kernel';
import { createCryptoCapability } from '../crypto/crypto-capability.ts';

export const { create } = createCryptoCapability({ clock: systemClock, random: systemRandom });
