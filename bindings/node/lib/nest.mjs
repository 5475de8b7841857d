import all from './nest.js';

export const { LogFluxLogger } = all;
