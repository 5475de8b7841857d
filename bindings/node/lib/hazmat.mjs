import all from './hazmat.js';

export const { deriveKey, sealWithSaltAndIv } = all;
