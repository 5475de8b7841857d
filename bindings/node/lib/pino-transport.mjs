import all from './pino-transport.js';

export const { pino, transport } = all;
export default transport;
