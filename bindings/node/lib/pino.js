'use strict';

/**
 * pino: a destination in the same thread, and the target of a transport.
 *
 * Its lines are read, since they alone have been through its serializers, formatters and redaction.
 */

const { Writable } = require('node:stream');
const { StringDecoder } = require('node:string_decoder');
const exit = require('./exit.js');
const { LogFluxClient } = require('./client.js');
const { Level } = require('./levels.js');
const { Sink } = require('./sink.js');

const METADATA = Symbol.for('pino.metadata');

/** The level of a number of pino's. @param {number} number @returns {number} */
function levelOf(number) {
  if (number >= 60) return Level.CRITICAL;
  if (number >= 50) return Level.ERROR;
  if (number >= 40) return Level.WARNING;
  return number >= 30 ? Level.INFO : Level.DEBUG;
}

const INFO = 30;
/** @type {Record<string, number>} */
const NAMES = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 };

/**
 * Logs one line of pino's.
 * @param {Sink} sink @param {string} line @param {number | undefined} number the level, where pino has said it: then the line is of now
 * @param {string} [messageKey] @param {string} [errorKey]
 */
function logLine(sink, line, number, messageKey = 'msg', errorKey = 'err') {
  /** @type {any} */
  let parsed;
  try {
    parsed = JSON.parse(line);
  } catch {
    // Such as one of `pino-pretty`.
  }
  if (typeof parsed !== 'object' || parsed === null) {
    const text = line.trimEnd();
    if (text !== '') sink.log(levelOf(number ?? INFO), () => ({ message: text }));
    return;
  }
  const { level, time, pid, hostname, name, [messageKey]: message, ...fields } = parsed;
  const error = fields[errorKey];
  /** @type {string | undefined} */
  let exception;
  if (typeof error?.stack === 'string') {
    exception = error.stack;
    const { stack, ...rest } = error;
    fields[errorKey] = rest;
  }
  const at = typeof time === 'number' ? time : Date.parse(time);
  const known = number ?? (typeof level === 'number' ? level : NAMES[level]) ?? INFO;
  sink.log(
    levelOf(known),
    () => ({ message: message === undefined ? undefined : String(message), target: typeof name === 'string' ? name : undefined, fields, exception }),
    number !== undefined || Number.isNaN(at) ? undefined : at,
  );
}

/**
 * A destination for `pino(options, logflux.pino())`.
 * @param {{ client?: LogFluxClient, messageKey?: string, errorKey?: string }} [options]
 */
function pino({ client, messageKey, errorKey } = {}) {
  const sink = new Sink(client);
  return {
    // pino says the level's number before every line.
    [METADATA]: true,
    /** @type {number | undefined} */
    lastLevel: undefined,
    /** @param {string} line */
    write(line) {
      logLine(sink, line, this.lastLevel, messageKey, errorKey);
      return true;
    },
    /** @param {(error?: Error) => void} [done] */
    flush(done) {
      sink.flush().then(() => done?.(), done);
    },
    flushSync() {
      sink.flushSync();
    },
    end() {
      sink.flushSync();
    },
  };
}

/**
 * The target of a transport, which runs in a thread of pino's. It gives what thread-stream writes to.
 * @param {{ messageKey?: string, errorKey?: string } & Record<string, unknown>} [options] a client's
 */
function transport(options = {}) {
  const { messageKey, errorKey, ...others } = options;
  // pino adds some of its own.
  const settings = Object.fromEntries(Object.entries(others).filter(([name]) => !name.startsWith('$') && name !== 'pinoWillSendConfig'));
  const client = new LogFluxClient(settings);
  const sink = new Sink(client);
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const lines = (/** @type {string} */ text) => {
    const parts = (rest + text).split('\n');
    rest = /** @type {string} */ (parts.pop());
    for (const line of parts) logLine(sink, line, undefined, messageKey, errorKey);
  };
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      lines(typeof chunk === 'string' ? chunk : decoder.write(chunk));
      done();
    },
    final(done) {
      lines(`${decoder.end()}\n`);
      client.closeSync();
      done();
    },
  });
  const last = () => lines(`${decoder.end()}\n`);
  exit.before.add(last);
  stream.once('close', () => exit.before.delete(last));
  return Object.assign(stream, { flushSync: () => void client.flushSync() });
}

exports.pino = pino;
exports.transport = transport;
