import all from './winston.js';

export const { LogFluxTransport } = all;
export default LogFluxTransport;
