import { LogFluxTransport } from './winston.js';

export * from './winston.js';
export default LogFluxTransport;
