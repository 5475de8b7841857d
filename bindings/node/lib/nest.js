'use strict';

/** A logger for NestJS: `app.useLogger(new LogFluxLogger())`. */

const { Level } = require('./levels.js');
const { asText, isError } = require('./json.js');
const { Sink } = require('./sink.js');

/** @type {Record<string, number>} */
const LEVELS = { fatal: Level.CRITICAL, error: Level.ERROR, warn: Level.WARNING, log: Level.INFO, debug: Level.DEBUG, verbose: Level.DEBUG };
const STACK = /^.+\n\s+at .+:\d+:\d+/;

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
    if (this.#enabled.has(name)) this.#sink.log(/** @type {number} */ (LEVELS[name]), () => this.#line(name, message, [...more]));
  }

  /** @param {string} name @param {unknown} message @param {unknown[]} rest */
  #line(name, message, rest) {
    let target = this.#context;
    // The last text is where it comes from, and one before it may be a stack.
    if (typeof rest.at(-1) === 'string' && !isStack(rest.at(-1))) target = /** @type {string} */ (rest.pop());
    const at = name === 'error' || name === 'fatal' ? rest.findIndex(isStack) : -1;
    const exception = at < 0 ? undefined : /** @type {string} */ (rest.splice(at, 1)[0]);
    while (rest.length > 0 && rest.at(-1) === undefined) rest.pop();
    const [first] = rest;
    /** @type {any} */
    let fields;
    if (rest.length === 1 && isError(first)) fields = { err: first };
    else if (rest.length === 1 && typeof first === 'object' && first !== null) fields = first;
    else if (rest.length > 0) fields = { params: rest };
    if (isError(message)) return { message: asText(/** @type {Error} */ (message).message), target, fields, error: message, exception };
    if (typeof message !== 'object' || message === null) return { message: asText(message), target, fields, exception };
    return { target, fields: fields === undefined ? message : { message, params: fields }, exception };
  }
}

/** Whether a value is a stack, which Nest passes among other parameters. @param {unknown} value */
function isStack(value) {
  return typeof value === 'string' && STACK.test(value);
}

exports.LogFluxLogger = LogFluxLogger;
