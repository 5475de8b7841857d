export { deriveKey, sealWithSaltAndIv } from './hazmat.js';
