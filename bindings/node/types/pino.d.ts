import type { Writable } from 'node:stream';
import type { PinoDestination, PinoOptions, Settings } from '../index.js';

/** What `transport: { target: '@logflux/logflux-js-sdk/pino', options }` loads. Options are a client's. */
export declare function transport(
  options?: Omit<Settings, 'onDrop' | 'onNotice'> & { messageKey?: string; errorKey?: string },
): Writable & { flushSync(): void };
/** A destination in the same thread. */
export declare function pino(options?: PinoOptions): PinoDestination;
export default transport;
