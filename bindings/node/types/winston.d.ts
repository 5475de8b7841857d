import Transport = require('winston-transport');
import type { SinkOptions } from '../index.js';

/** Logs what winston logs, each as one object. */
export declare class LogFluxTransport extends Transport {
  constructor(options?: Transport.TransportStreamOptions & SinkOptions & { formatted?: boolean });
}
export default LogFluxTransport;
