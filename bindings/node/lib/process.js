'use strict';

/** The client of the process, which the functions of the module log through. */

const { clearInterval, setInterval } = require('node:timers');
const { LogFluxClient, log: logTo, setProcessClient } = require('./client.js');
const { LogFluxError, SettingsError } = require('./errors.js');
const { Level, levelOf } = require('./levels.js');
const { brief } = require('./json.js');
const exit = require('./exit.js');
const native = require('./native.js');

/** How often, in milliseconds, a client that was replaced is asked whether all of it is delivered. */
const RETIRING = 100;
/** The addon's number of the client of the process, which any thread may have set up. */
const PROCESS = 0;

/** @type {LogFluxClient | undefined} */
let current;
/** The client that was closed last. @type {LogFluxClient | undefined} */
let closed;

/**
 * Sets the client of the process up. What is left out is what the `LOGFLUX_…` variables say. With the
 * settings of the client that there is, gives that one; with others the new client takes its place, and
 * the old one is closed when it has delivered what it has.
 * @param {string | object | null} [serverUrl] or all settings
 * @param {string | null} [node] @param {string | null} [apiKey] @param {unknown} [secret] @param {object} [settings]
 * @returns {LogFluxClient}
 */
function init(serverUrl, node, apiKey, secret, settings) {
  /** @type {Record<string, unknown>} */
  const given = {};
  if (typeof serverUrl === 'object' && serverUrl !== null && !(serverUrl instanceof URL)) {
    if (arguments.length > 1) throw new SettingsError('settings: give an object of them, or arguments, not both');
    Object.assign(given, serverUrl);
  } else {
    for (const [name, value] of Object.entries({ serverUrl, node, apiKey, secret })) {
      if (value !== undefined && value !== null) given[name] = name === 'serverUrl' ? String(value) : value;
    }
    // The variable that it was to come from is not set.
    if (arguments.length === 4 && secret === undefined) given.secret = undefined;
    if (settings !== undefined) Object.assign(given, settings);
  }
  const { handleSignals = true, logUncaught = true, ...rest } = given;
  const client = new LogFluxClient(rest);
  const number = LogFluxClient._number(client);
  native.processAdopt(number);
  // The same settings once more; one that another thread has closed is replaced.
  if (current !== undefined && LogFluxClient._number(current) === number) {
    LogFluxClient._discard(client);
    return current;
  }
  const replaced = current;
  current = client;
  closed = undefined;
  setProcessClient(client);
  if (replaced !== undefined) retire(replaced);
  if (handleSignals) exit.handleSignals();
  if (logUncaught) exit.logUncaught(uncaught);
  return client;
}

/** Closes a client when all of it is delivered. Until then the end of the process flushes it. @param {LogFluxClient} replaced */
function retire(replaced) {
  const closeIfDone = () => {
    const { pending, spooled } = replaced.stats();
    if (pending + spooled > 0) return;
    clearInterval(timer);
    replaced.closeSync(0);
  };
  const timer = setInterval(closeIfDone, RETIRING);
  timer.unref();
}

/** As `init`, from the `LOGFLUX_…` variables; what is given here comes before them. @param {object} [settings] */
function initFromEnv(settings = {}) {
  return init(settings);
}

/** @param {unknown} error @param {string} origin */
function uncaught(error, origin) {
  if (current !== undefined) critical(brief(error), { origin, err: error });
}

/** The client of the process, if `init` has set one up. */
function client() {
  return current;
}

/** Logs a message of a level, by its number or name. @param {number | string} level @param {unknown} message @param {unknown} [fields] */
function log(level, message, fields) {
  logTo(PROCESS, levelOf(level), message, fields);
}
/** @param {unknown} message @param {unknown} [fields] */
function emergency(message, fields) {
  logTo(PROCESS, Level.EMERGENCY, message, fields);
}
/** @param {unknown} message @param {unknown} [fields] */
function alert(message, fields) {
  logTo(PROCESS, Level.ALERT, message, fields);
}
/** @param {unknown} message @param {unknown} [fields] */
function critical(message, fields) {
  logTo(PROCESS, Level.CRITICAL, message, fields);
}
/** @param {unknown} message @param {unknown} [fields] */
function error(message, fields) {
  logTo(PROCESS, Level.ERROR, message, fields);
}
/** @param {unknown} message @param {unknown} [fields] */
function warning(message, fields) {
  logTo(PROCESS, Level.WARNING, message, fields);
}
/** @param {unknown} message @param {unknown} [fields] */
function notice(message, fields) {
  logTo(PROCESS, Level.NOTICE, message, fields);
}
/** @param {unknown} message @param {unknown} [fields] */
function info(message, fields) {
  if (current?.isEnabled(Level.INFO) === false) return;
  logTo(PROCESS, Level.INFO, message, fields);
}
/** @param {unknown} message @param {unknown} [fields] */
function debug(message, fields) {
  if (current?.isEnabled(Level.DEBUG) === false) return;
  logTo(PROCESS, Level.DEBUG, message, fields);
}

/** Flushes the client of the process; see `LogFluxClient.flush`. True where there was none. @param {{ timeout?: number | string }} [options] */
async function flush(options) {
  return (await (current ?? closed)?.flush(options)) ?? true;
}

/** As `flush`, and the event loop waits. @param {number | string} [timeout] */
function flushSync(timeout) {
  return (current ?? closed)?.flushSync(timeout) ?? true;
}

/** Closes the client of the process, and forgets it, but for what became of its messages. @param {{ timeout?: number | string }} [options] */
async function close(options) {
  const closing = current ?? closed;
  if (closing === undefined) return true;
  try {
    return await closing.close(options);
  } finally {
    forget(closing);
  }
}

/** As `close`, and the event loop waits. @param {number | string} [timeout] */
function closeSync(timeout) {
  const closing = current ?? closed;
  if (closing === undefined) return true;
  try {
    return closing.closeSync(timeout);
  } finally {
    forget(closing);
  }
}

/** @param {LogFluxClient} closing */
function forget(closing) {
  if (current !== closing) return;
  closed = closing;
  current = undefined;
  setProcessClient(undefined);
}

/** What became of all messages of the client of the process, closed or not; undefined where there was none. */
function stats() {
  return (current ?? closed)?.stats();
}

/** What the last flush or close of it found. */
function lastFlush() {
  return (current ?? closed)?.lastFlush;
}

/** Goes on with another secret, API key or CA file. @param {{ secret?: unknown, apiKey?: unknown, caFile?: unknown }} settings */
function rotate(settings) {
  if (current === undefined) throw new LogFluxError('logflux is not initialised: call logflux.init() first');
  current.rotate(settings);
}

/** Tells LogFlux that this process was restored from a snapshot, and that other copies of it may run. */
function afterRestore() {
  native.afterRestore();
}

exports.afterRestore = afterRestore;
exports.alert = alert;
exports.client = client;
exports.close = close;
exports.closeSync = closeSync;
exports.critical = critical;
exports.debug = debug;
exports.emergency = emergency;
exports.error = error;
exports.flush = flush;
exports.flushSync = flushSync;
exports.info = info;
exports.init = init;
exports.initFromEnv = initFromEnv;
exports.lastFlush = lastFlush;
exports.log = log;
exports.notice = notice;
exports.rotate = rotate;
exports.stats = stats;
exports.warning = warning;
