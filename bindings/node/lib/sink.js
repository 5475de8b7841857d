'use strict';

/** Where the integrations log to: the client that they are given, or that of the process. */

const { LogFluxClient, logLine } = require('./client.js');
const { UNFORMATTED, event } = require('./json.js');
const { context } = require('./context.js');
const own = require('./process.js');

class Sink {
  #client;
  #number;

  /** @param {LogFluxClient | undefined} client */
  constructor(client) {
    if (client !== undefined && !(client instanceof LogFluxClient)) throw new TypeError('client must be a LogFluxClient');
    this.#client = client;
    this.#number = client === undefined ? 0 : LogFluxClient._number(client);
  }

  /**
   * Logs one object, with the fields of the context. It never throws.
   * @param {number} level @param {() => Parameters<typeof event>[0]} line makes the object, which may fail
   * @param {number} [time] in milliseconds since 1970
   */
  log(level, line, time) {
    let text;
    try {
      text = event({ ...line(), context: context() });
    } catch {
      text = UNFORMATTED;
    }
    logLine(this.#number, level, text, time);
  }

  /** @param {{ timeout?: number | string }} [options] */
  flush(options) {
    return (this.#client ?? own).flush(options);
  }

  /** @param {number | string} [timeout] */
  flushSync(timeout) {
    return (this.#client ?? own).flushSync(timeout);
  }
}

exports.Sink = Sink;
