import type { Entry, LevelLike, ModeLike, SecretLike } from '../index.js';

/** **For test vectors only**: two messages under one salt and iv can both be read by anyone who has the two entries. */
export declare function sealWithSaltAndIv(
  message: string | Uint8Array,
  secret: SecretLike,
  options: {
    salt: Uint8Array;
    iv: Uint8Array;
    node: string;
    timestamp: Date | number | string;
    level?: LevelLike;
    mode?: ModeLike | string;
  },
): Entry;
/** **For test vectors only**: the 32 bytes that key the cipher of an entry with this salt. */
export declare function deriveKey(secret: SecretLike, salt: Uint8Array, options?: { mode?: ModeLike | string }): Buffer;
