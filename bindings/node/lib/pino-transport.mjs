export { pino, transport } from './pino-transport.js';
export { transport as default } from './pino-transport.js';
