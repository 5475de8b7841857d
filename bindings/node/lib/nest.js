'use strict';

/** A logger for NestJS: `app.useLogger(new LogFluxLogger())`. */

const { inspect } = require('node:util');
const { Level } = require('./levels.js');
const { asText, isError } = require('./json.js');
const { Sink } = require('./sink.js');

/** @type {Record<string, number>} */
const LEVELS = { fatal: Level.CRITICAL, error: Level.ERROR, warn: Level.WARNING, log: Level.INFO, debug: Level.DEBUG, verbose: Level.DEBUG };
/** Whether a text is a stack trace, which Nest passes among other parameters. */
const STACK = /^(.)+\n\s+at .+:\d+:\d+/;

/** It has the methods of Nest's `LoggerService`, and needs nothing of Nest. */
class LogFluxLogger {
  #sink;
  #context;
  /** @type {Set<string>} */
  #enabled;

  /** @param {string | { context?: string, client?: import('./client.js').LogFluxClient, logLevels?: string[] }} [options] */
  constructor(options = {}) {
    const { context, client, logLevels } = typeof options === 'string' ? { context: options } : options;
    this.#context = context;
    this.#sink = new Sink(client);
    this.#enabled = new Set(logLevels ?? Object.keys(LEVELS));
  }

  /** @param {unknown} message @param {...unknown} more */
  log(message, ...more) {
    this.#log('log', message, more);
  }

  /** @param {unknown} message @param {...unknown} more */
  fatal(message, ...more) {
    this.#log('fatal', message, more);
  }

  /** @param {unknown} message @param {...unknown} more */
  error(message, ...more) {
    this.#log('error', message, more);
  }

  /** @param {unknown} message @param {...unknown} more */
  warn(message, ...more) {
    this.#log('warn', message, more);
  }

  /** @param {unknown} message @param {...unknown} more */
  debug(message, ...more) {
    this.#log('debug', message, more);
  }

  /** @param {unknown} message @param {...unknown} more */
  verbose(message, ...more) {
    this.#log('verbose', message, more);
  }

  /** @param {string[]} levels */
  setLogLevels(levels) {
    this.#enabled = new Set(levels);
  }

  /** @param {string} context */
  setContext(context) {
    this.#context = context;
  }

  /** For `enableShutdownHooks`. */
  async onApplicationShutdown() {
    await this.#sink.flush();
  }

  /** @param {string} name @param {unknown} message @param {unknown[]} more */
  #log(name, message, more) {
    if (!this.#enabled.has(name)) return;
    const rest = [...more];
    let context = this.#context;
    // The last text is where it comes from, and one before it may be a stack.
    if (typeof rest.at(-1) === 'string' && !STACK.test(/** @type {string} */ (rest.at(-1)))) context = /** @type {string} */ (rest.pop());
    const at = name === 'error' || name === 'fatal' ? rest.findIndex((value) => typeof value === 'string' && STACK.test(value)) : -1;
    const exception = at < 0 ? undefined : /** @type {string} */ (rest.splice(at, 1)[0]);
    while (rest.length > 0 && rest.at(-1) === undefined) rest.pop();
    /** @type {any} */
    let fields;
    if (rest.length === 1 && typeof rest[0] === 'object' && rest[0] !== null && !isError(rest[0])) [fields] = rest;
    else if (rest.length > 0) fields = isError(rest[0]) && rest.length === 1 ? { err: rest[0] } : { params: rest };
    /** @type {string | undefined} */
    let text;
    if (isError(message)) {
      fields = { ...fields, err: message };
      text = asText(/** @type {Error} */ (message).message);
    } else if (typeof message === 'object' && message !== null && fields === undefined) {
      fields = message;
    } else {
      text = typeof message === 'object' && message !== null ? inspectSafe(message) : asText(message);
    }
    this.#sink.log(/** @type {number} */ (LEVELS[name]), { message: text, target: context, fields, exception });
  }
}

/** @param {unknown} value */
function inspectSafe(value) {
  try {
    return inspect(value, { depth: 4, breakLength: Infinity });
  } catch {
    return asText(value);
  }
}

module.exports = { LogFluxLogger };
