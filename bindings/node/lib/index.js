'use strict';

/**
 * Encrypted logs: sealed inside the application, opened only by the holder of the secret.
 *
 * `index.d.ts` has every name and what it does.
 */

const own = require('./process.js');
const { LogFluxClient } = require('./client.js');
const { setContext, withContext } = require('./context.js');
const { EntryError, LogFluxError, OpenError, SealError, SecretError, SettingsError } = require('./errors.js');
const { Level, Mode } = require('./levels.js');
const { Keyring, Secret } = require('./secret.js');
const { version } = require('../package.json');

/** A transport of winston's, which is loaded now. @param {any} [options] */
function winston(options) {
  const { LogFluxTransport } = require('./winston.js');
  return new LogFluxTransport(options);
}

Object.defineProperty(exports, '__esModule', { value: true });
exports.afterRestore = own.afterRestore;
exports.alert = own.alert;
exports.client = own.client;
exports.close = own.close;
exports.closeSync = own.closeSync;
exports.critical = own.critical;
exports.debug = own.debug;
exports.emergency = own.emergency;
exports.EntryError = EntryError;
exports.error = own.error;
exports.flush = own.flush;
exports.flushSync = own.flushSync;
exports.info = own.info;
exports.init = own.init;
exports.initFromEnv = own.initFromEnv;
exports.Keyring = Keyring;
exports.lastFlush = own.lastFlush;
exports.Level = Level;
exports.log = own.log;
exports.LogFluxClient = LogFluxClient;
exports.LogFluxError = LogFluxError;
exports.Mode = Mode;
exports.notice = own.notice;
exports.OpenError = OpenError;
exports.rotate = own.rotate;
exports.SealError = SealError;
exports.Secret = Secret;
exports.SecretError = SecretError;
exports.setContext = setContext;
exports.SettingsError = SettingsError;
exports.stats = own.stats;
exports.version = version;
exports.warning = own.warning;
exports.winston = winston;
exports.withContext = withContext;
/** What not every application uses is loaded when it is first asked for. @type {Record<string, () => Record<string, any>>} */
const LATER = {
  captureConsole: () => require('./console.js'),
  Entry: () => require('./sealing.js'),
  LogFluxLogger: () => require('./nest.js'),
  LogFluxLogRecordExporter: () => require('./opentelemetry.js'),
  open: () => require('./sealing.js'),
  openBytes: () => require('./sealing.js'),
  Opener: () => require('./sealing.js'),
  openMany: () => require('./sealing.js'),
  pino: () => require('./pino.js'),
  seal: () => require('./sealing.js'),
  Sealer: () => require('./sealing.js'),
};
for (const [name, load] of Object.entries(LATER)) {
  Object.defineProperty(exports, name, { enumerable: true, configurable: true, get: () => load()[name] });
}
// Not to be listed, since it is the module itself.
Object.defineProperty(exports, 'default', { value: exports });
