'use strict';

/** The client that an application logs through. */

const { inspect } = require('node:util');
const { setInterval, clearInterval } = require('node:timers');
const native = require('./native.js');
const exit = require('./exit.js');
const { compose, cutMessage, UNFORMATTED } = require('./json.js');
const { context } = require('./context.js');
const { Level, levelOf } = require('./levels.js');
const { SettingsError } = require('./errors.js');
const { milliseconds, read } = require('./settings.js');
const { settle } = require('./waiting.js');

/** How long a flush waits unless it is told otherwise. */
const FLUSH_TIMEOUT = 5000;
const SECOND = 1000;
/** @type {string[]} */
const REASONS = native.dropReasons();

/** Tells the addon of objects that are gone. @type {FinalizationRegistry<{ number: number, used: boolean }>} */
const gone = new FinalizationRegistry(({ number, used }) => native.clientRelease(number, used));

/**
 * Logs a message. It never throws, and waits for nothing.
 * @param {number} number the client's, or 0 for that of the process
 * @param {number} level @param {unknown} message @param {unknown} fields
 */
function log(number, level, message, fields) {
  try {
    const here = context();
    const plain = typeof message === 'string' && fields === undefined && here === undefined;
    native.clientLog(number, level, plain ? cutMessage(message) : compose(message, fields, here));
  } catch {
    try {
      native.clientLog(number, level, UNFORMATTED);
    } catch {
      // Not even that: the stack has no room left.
    }
  }
}

/**
 * Logs a finished line, now or at a time in milliseconds since 1970.
 * @param {number} number @param {number} level @param {string} line @param {unknown} [time]
 */
function logLine(number, level, line, time) {
  try {
    if (typeof time === 'number') native.clientLogAt(number, level, cutMessage(line), time);
    else native.clientLog(number, level, cutMessage(line));
  } catch {
    // As above.
  }
}

/** @param {any} counted what the addon counted */
function statsOf(counted) {
  /** @type {Record<string, number>} */
  const dropped = {};
  for (const [index, count] of counted.dropped.entries()) {
    if (count > 0) dropped[/** @type {string} */ (REASONS[index])] = count;
  }
  return { ...counted, dropped, lastError: counted.lastError ?? undefined };
}

/** Tells of drops and notices, which it asks for every second. */
class Teller {
  #number;
  #onDrop;
  #onNotice;
  #next = 0;
  /** @type {Record<string, number>} */
  #told;
  #timer;
  #tell = () => this.tell();

  /** @param {number} number @param {((dropped: Record<string, number>) => void) | undefined} onDrop @param {((sentence: string) => void) | undefined} onNotice */
  constructor(number, onDrop, onNotice) {
    this.#number = number;
    this.#onDrop = onDrop;
    this.#onNotice = onNotice;
    this.#told = statsOf(native.clientStats(number)).dropped;
    this.#next = native.clientNotices(number, 0).next;
    this.#timer = setInterval(this.#tell, SECOND);
    this.#timer.unref();
    exit.after.add(this.#tell);
  }

  tell() {
    const { dropped } = statsOf(native.clientStats(this.#number));
    /** @type {Record<string, number>} */
    const more = {};
    for (const [reason, count] of Object.entries(dropped)) {
      const before = this.#told[reason] ?? 0;
      if (count > before) more[reason] = count - before;
    }
    this.#told = dropped;
    if (Object.keys(more).length > 0) this.#call(this.#onDrop, more);
    const { next, sentences } = native.clientNotices(this.#number, this.#next);
    this.#next = next;
    for (const sentence of sentences) this.#call(this.#onNotice, sentence);
  }

  /** A callback that throws is the application's fault, which it hears of as of any other. @param {Function | undefined} callback @param {unknown} argument */
  #call(callback, argument) {
    try {
      callback?.(argument);
    } catch (error) {
      process.emitWarning(/** @type {Error} */ (error));
    }
  }

  end() {
    this.stop();
    this.tell();
  }

  /** Tells nothing more. */
  stop() {
    clearInterval(this.#timer);
    exit.after.delete(this.#tell);
  }
}

/**
 * Logs through one ingest API, as one node, with one secret. A logging call copies its message into a
 * bounded queue and returns; it never throws. Settings that are left out are those of the `LOGFLUX_…`
 * variables.
 */
class LogFluxClient {
  #number;
  #minLevel;
  /** What is told when this object is gone. */
  #known;
  #closeTimeout;
  /** @type {Teller | undefined} */
  #teller;
  #closed = false;
  /** @type {{ dropped: number, left: number } | undefined} */
  #lastFlush;

  /** @param {object} [settings] */
  constructor(settings = {}) {
    const { values, environment, secret, bounds, onDrop, onNotice } = /** @type {any} */ (read(settings));
    exit.watch();
    const watches = [onDrop !== undefined, onNotice !== undefined];
    this.#number = native.clientOpen(values, environment, secret, bounds, ...watches);
    this.#minLevel = native.clientMinLevel(this.#number);
    this.#closeTimeout = native.clientCloseTimeout(this.#number);
    if (watches.includes(true)) this.#teller = new Teller(this.#number, onDrop, onNotice);
    this.#known = { number: this.#number, used: true };
    gone.register(this, this.#known);
  }

  /** The addon's number of a client. @param {LogFluxClient} client @returns {number} */
  static _number(client) {
    return client.#number;
  }

  /** Lets go of a client that nobody was given, as another object has the same. @param {LogFluxClient} client */
  static _discard(client) {
    client.#teller?.stop();
    client.#closed = true;
    client.#known.used = false;
    native.clientRelease(client.#number, true);
  }

  /** Logs a message of a level, by its number or name. @param {number | string} level @param {unknown} message @param {unknown} [fields] */
  log(level, message, fields) {
    const number = levelOf(level);
    if (number <= this.#minLevel) log(this.#number, number, message, fields);
  }

  /** @param {unknown} message @param {unknown} [fields] */
  emergency(message, fields) {
    if (Level.EMERGENCY <= this.#minLevel) log(this.#number, Level.EMERGENCY, message, fields);
  }

  /** @param {unknown} message @param {unknown} [fields] */
  alert(message, fields) {
    if (Level.ALERT <= this.#minLevel) log(this.#number, Level.ALERT, message, fields);
  }

  /** @param {unknown} message @param {unknown} [fields] */
  critical(message, fields) {
    if (Level.CRITICAL <= this.#minLevel) log(this.#number, Level.CRITICAL, message, fields);
  }

  /** @param {unknown} message @param {unknown} [fields] */
  error(message, fields) {
    if (Level.ERROR <= this.#minLevel) log(this.#number, Level.ERROR, message, fields);
  }

  /** @param {unknown} message @param {unknown} [fields] */
  warning(message, fields) {
    if (Level.WARNING <= this.#minLevel) log(this.#number, Level.WARNING, message, fields);
  }

  /** @param {unknown} message @param {unknown} [fields] */
  notice(message, fields) {
    if (Level.NOTICE <= this.#minLevel) log(this.#number, Level.NOTICE, message, fields);
  }

  /** @param {unknown} message @param {unknown} [fields] */
  info(message, fields) {
    if (Level.INFO <= this.#minLevel) log(this.#number, Level.INFO, message, fields);
  }

  /** @param {unknown} message @param {unknown} [fields] */
  debug(message, fields) {
    if (Level.DEBUG <= this.#minLevel) log(this.#number, Level.DEBUG, message, fields);
  }

  /** Whether a message of this level would be logged. @param {number | string} level */
  isEnabled(level) {
    return levelOf(level) <= this.#minLevel;
  }

  /**
   * Waits until all that was logged before is delivered, or durable in the spool. False where a
   * message was dropped since the client was built, or the time was not enough.
   * @param {{ timeout?: number | string }} [options]
   */
  async flush({ timeout = FLUSH_TIMEOUT } = {}) {
    const limit = milliseconds('timeout', timeout);
    return this.#ended(await settle(native.clientFlushBegin(this.#number), limit));
  }

  /** As `flush`, and the event loop waits. @param {number | string} [timeout] */
  flushSync(timeout = FLUSH_TIMEOUT) {
    return this.#ended(native.clientFlushSync(this.#number, milliseconds('timeout', timeout)));
  }

  /**
   * Flushes, and ends the client, unless others use one with the same settings. Later messages are
   * dropped, and counted.
   * @param {{ timeout?: number | string }} [options]
   */
  async close({ timeout = this.#closeTimeout } = {}) {
    const limit = milliseconds('timeout', timeout);
    if (this.#closed) return this.flush({ timeout: limit });
    this.#closed = true;
    this.#known.used = false;
    const ticket = native.clientCloseBegin(this.#number, limit, closesAll(this));
    // The addon keeps to the time; a moment more is for its last words.
    return this.#finished(await settle(ticket, limit + SECOND));
  }

  /** As `close`, and the event loop waits. @param {number | string} [timeout] */
  closeSync(timeout = this.#closeTimeout) {
    const limit = milliseconds('timeout', timeout);
    if (this.#closed) return this.flushSync(limit);
    this.#closed = true;
    this.#known.used = false;
    return this.#finished(native.clientCloseSync(this.#number, limit, closesAll(this)));
  }

  /** @param {{ dropped: number, left: number }} result */
  #finished(result) {
    this.#teller?.end();
    this.#teller = undefined;
    return this.#ended(result);
  }

  /** @param {{ dropped: number, left: number }} result */
  #ended(result) {
    this.#lastFlush = result;
    return result.dropped === 0 && result.left === 0;
  }

  /** What the last flush or close found: how many messages were dropped, and how many are left. */
  get lastFlush() {
    return this.#lastFlush;
  }

  /** What became of all messages: accepted = delivered + dropped + pending + spooled, at every read. */
  stats() {
    return statsOf(native.clientStats(this.#number));
  }

  /**
   * Goes on with another secret, API key or CA file. Where one cannot be used, nothing is replaced.
   * @param {{ secret?: unknown, apiKey?: unknown, caFile?: unknown }} settings
   */
  rotate(settings) {
    for (const name of Object.keys(settings)) {
      if (!['secret', 'apiKey', 'caFile'].includes(name)) throw new SettingsError(`${name}: cannot be replaced: give secret, apiKey or caFile`);
    }
    if (Object.keys(settings).length === 0) throw new SettingsError('give secret, apiKey or caFile');
    const { values, secret } = read(settings);
    native.clientRotate(this.#number, secret, values.apiKey, values.caFile);
  }

  /** For `await using`. */
  async [Symbol.asyncDispose]() {
    await this.close();
  }

  toString() {
    return native.clientDescribe(this.#number);
  }

  toJSON() {
    return this.toString();
  }

  [inspect.custom]() {
    return this.toString();
  }
}

/** The client of the process, where this copy of the package has set it up. @type {LogFluxClient | undefined} */
let processClient;
/** Whether closing this client closes it for all: it is the process's, and this is the main thread. */
function closesAll(/** @type {LogFluxClient} */ client) {
  return client === processClient && exit.isMainThread();
}

/** @param {LogFluxClient | undefined} client */
function setProcessClient(client) {
  processClient = client;
}

exports.LogFluxClient = LogFluxClient;
exports.log = log;
exports.logLine = logLine;
exports.setProcessClient = setProcessClient;
