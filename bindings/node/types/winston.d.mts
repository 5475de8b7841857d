export * from './winston.js';
export { default } from './winston.js';
