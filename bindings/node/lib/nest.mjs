export { LogFluxLogger } from './nest.js';
