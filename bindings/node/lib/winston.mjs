export { LogFluxTransport } from './winston.js';
export { LogFluxTransport as default } from './winston.js';
