import { transport } from './pino.js';

export * from './pino.js';
export default transport;
