'use strict';

/** A transport of winston's. */

const { createRequire } = require('node:module');
const exit = require('./exit.js');
const { Level, levelOf } = require('./levels.js');
const { asText } = require('./json.js');
const { Sink } = require('./sink.js');

/** The class that winston's transports extend: the application's, or that of its winston. @returns {any} */
function transportClass() {
  try {
    // @ts-ignore It may not be there.
    return require('winston-transport');
  } catch {
    try {
      return createRequire(require.resolve('winston'))('winston-transport');
    } catch {
      // Not found from here; perhaps from where the application is.
    }
  }
  const here = createRequire(`${process.cwd()}/package.json`);
  try {
    return createRequire(here.resolve('winston'))('winston-transport');
  } catch (cause) {
    throw new Error('@logflux/logflux-js-sdk/winston needs winston: run "npm install winston"', { cause });
  }
}

const LEVEL = Symbol.for('level');
const SPLAT = Symbol.for('splat');
const MESSAGE = Symbol.for('message');
const Transport = transportClass();

/** Logs what winston logs, each as one object. The callback is called at once, always. */
class LogFluxTransport extends Transport {
  #sink;
  #formatted;
  #drain = () => this.#takeHeldBack();

  /** @param {{ client?: import('./client.js').LogFluxClient, formatted?: boolean } & Record<string, unknown>} [options] */
  constructor({ client, formatted = false, ...options } = {}) {
    super(options);
    this.#sink = new Sink(client);
    this.#formatted = formatted;
    exit.watch();
    exit.before.add(this.#drain);
  }

  /** @param {any} info @param {() => void} [callback] */
  log(info, callback) {
    /** @type {number} */
    let level = Level.INFO;
    try {
      level = levelOf(info[LEVEL] ?? info.level, level);
    } catch {
      // It is logged all the same.
    }
    this.#sink.log(level, () => this.#line(info));
    callback?.();
  }

  /** @param {any} info */
  #line(info) {
    if (this.#formatted && typeof info[MESSAGE] === 'string') return { message: info[MESSAGE] };
    const { level, message, timestamp, stack, label, ...rest } = info;
    const isError = message instanceof Error;
    return {
      // An error that was logged in place of a message is the message itself.
      message: isError ? message.message : message === undefined ? undefined : asText(message),
      target: typeof label === 'string' ? label : undefined,
      fields: isError ? { ...rest, err: message } : rest,
      exception: typeof stack === 'string' ? stack : undefined,
      error: info[SPLAT]?.find?.((/** @type {unknown} */ value) => value instanceof Error),
    };
  }

  /** What winston's stream still holds when the process ends in the same tick. */
  #takeHeldBack() {
    const MOST = 1_000_000;
    const { parent } = this;
    for (let taken = 0; parent && taken < MOST && parent.read?.() != null; taken += 1);
  }

  /** winston calls it when the transport is removed, or the logger ends. */
  close() {
    this.#takeHeldBack();
    exit.before.delete(this.#drain);
    this.#sink.flush().catch(() => {});
  }
}

Object.defineProperty(exports, '__esModule', { value: true });
exports.LogFluxTransport = LogFluxTransport;
exports.default = LogFluxTransport;
