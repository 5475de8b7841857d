export { LogFluxLogger } from '../index.js';
