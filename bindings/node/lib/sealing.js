'use strict';

/** Sealing and opening. */

const { inspect } = require('node:util');
const { setInterval, clearInterval } = require('node:timers');
const native = require('./native.js');
const { EntryError, LogFluxError, SealError, SettingsError, unpack } = require('./errors.js');
const { Keyring, Secret, isWellFormed, kind } = require('./secret.js');
const { policy } = require('./settings.js');

/** What travels for one message: seven valid fields, by their JSON names. */
class Entry {
  #json;

  /** @param {unknown} entry JSON as text or bytes, an object, or an `Entry` */
  constructor(entry) {
    const json = native.entryParse(jsonOf(entry));
    this.#json = json;
    const { node, payload, loglevel, timestamp, encryption_mode, iv, salt } = JSON.parse(json);
    this.node = node;
    this.payload = payload;
    this.loglevel = loglevel;
    this.timestamp = timestamp;
    this.encryption_mode = encryption_mode;
    this.iv = iv;
    this.salt = salt;
    Object.freeze(this);
  }

  /** Reads an entry strictly. @param {unknown} entry */
  static parse(entry) {
    return entry instanceof Entry ? entry : new Entry(entry);
  }

  /** The canonical JSON, the one form that every implementation writes. */
  toString() {
    return this.#json;
  }

  [inspect.custom]() {
    const { node, loglevel, timestamp, encryption_mode, payload } = this;
    return `Entry ${inspect({ node, loglevel, timestamp, encryption_mode, payload: `[${payload.length} characters]` })}`;
  }
}

/** The JSON of an entry in any of its forms. @param {unknown} entry @returns {string | Uint8Array} */
function jsonOf(entry) {
  if (typeof entry === 'string') {
    if (!isWellFormed(entry)) throw new EntryError('the text holds half a surrogate pair', { stage: 'json' });
    return entry;
  }
  if (entry instanceof Uint8Array) return entry;
  if (entry instanceof Entry) return entry.toString();
  if (typeof entry !== 'object' || entry === null) {
    throw new EntryError(`entry must be an Entry, an object, or JSON as text or bytes, not ${kind(entry)}`, { stage: 'json' });
  }
  try {
    return String(JSON.stringify(entry));
  } catch {
    throw new EntryError('the entry has a value that JSON cannot hold', { stage: 'json' });
  }
}

/** @param {unknown} message @returns {string | Uint8Array} */
function messageOf(message) {
  if (message instanceof Uint8Array) return message;
  if (typeof message !== 'string') throw new TypeError(`message must be a string or bytes, not ${kind(message)}`);
  if (isWellFormed(message)) return message;
  throw new SealError('message holds half a surrogate pair, which UTF-8 cannot: encode it yourself, and pass bytes', { stage: 'utf8' });
}

/** @param {unknown} timestamp @returns {string | undefined} */
function timeOf(timestamp) {
  if (timestamp === undefined || typeof timestamp === 'string') return timestamp;
  const date = timestamp instanceof Date || typeof timestamp === 'number' ? new Date(timestamp) : undefined;
  if (date === undefined) throw new TypeError(`timestamp must be a Date, milliseconds since 1970, or a string in RFC 3339, not ${kind(timestamp)}`);
  if (Number.isNaN(date.getTime())) throw new EntryError('timestamp is no time', { stage: 'field', field: 'timestamp' });
  return date.toISOString();
}

/** @param {unknown} name @param {string} what @returns {string | undefined} */
function textOf(name, what) {
  if (name === undefined || name === null) return undefined;
  if (typeof name === 'number') return String(name);
  if (typeof name !== 'string' || !isWellFormed(name)) throw new EntryError(`${what} must be a string, not ${kind(name)}`, { stage: 'field', field: what });
  return name;
}

/** Seals messages under one secret, in one mode, spending derivations by a key policy. */
class Sealer {
  #held;

  /** @param {unknown} secret @param {{ node?: string, mode?: number | string, keyPolicy?: unknown }} [options] */
  constructor(secret, { node, mode, keyPolicy } = {}) {
    const [name, bounds] = keyPolicy === undefined ? [undefined, undefined] : policy(keyPolicy);
    this.#held = native.sealerNew(Secret._held(secret), textOf(node, 'node'), textOf(mode, 'mode'), name, bounds);
  }

  /**
   * Seals one message. The first waits for a key, and later ones where the key policy says so.
   * @param {string | Uint8Array} message @param {{ level?: number | string, timestamp?: Date | number | string }} [options]
   */
  seal(message, { level = 'info', timestamp } = {}) {
    return new Entry(native.sealerSeal(this.#held, messageOf(message), String(level), timeOf(timestamp)));
  }

  /**
   * Seals many messages of one level and time, in their order.
   * @param {Iterable<string | Uint8Array>} messages @param {{ level?: number | string, timestamp?: Date | number | string }} [options]
   */
  sealMany(messages, { level = 'info', timestamp } = {}) {
    const sealed = native.sealerSealMany(this.#held, Array.from(messages, messageOf), String(level), timeOf(timestamp));
    return sealed.map((/** @type {string} */ json) => new Entry(json));
  }

  /** What this sealer has done in this process. */
  stats() {
    return native.sealerStats(this.#held);
  }
}

/** Opens entries with one or more secrets, and remembers keys. */
class Opener {
  #held;

  /** @param {unknown} secret or a `Keyring` @param {{ remember?: number, threads?: number }} [options] */
  constructor(secret, { remember, threads } = {}) {
    for (const [name, value] of Object.entries({ remember, threads })) {
      if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value < 2 ** 32)) throw new SettingsError(`${name}: must be a whole number from 1 on`);
    }
    const keyring = Keyring._held(secret);
    this.#held = native.openerNew(keyring === undefined ? Secret._held(secret) : undefined, keyring, remember, threads);
  }

  /** Opens one entry whose message is text. @param {unknown} entry @returns {string} */
  open(entry) {
    return native.openerOpen(this.#held, jsonOf(entry));
  }

  /** Opens one entry whatever its message's bytes are. @param {unknown} entry @returns {Buffer} */
  openBytes(entry) {
    return native.openerOpenBytes(this.#held, jsonOf(entry));
  }

  /**
   * Opens many entries on all cores; the event loop goes on.
   * @param {Iterable<unknown>} entries
   * @param {{ progress?: (done: number, total: number) => void, returnErrors?: boolean, bytes?: boolean }} [options]
   * @returns {Promise<unknown[]>}
   */
  async openMany(entries, { progress, returnErrors = false, bytes = false } = {}) {
    const PAUSE = 50;
    const given = Array.from(entries, (entry) => {
      try {
        return jsonOf(entry);
      } catch (error) {
        return /** @type {LogFluxError} */ (error);
      }
    });
    // An entry that cannot be read has its error in its place already.
    const readable = given.map((entry) => (entry instanceof LogFluxError ? '' : entry));
    const done = native.progressNew();
    const tell = () => progress?.(Math.min(native.progressDone(done), given.length), given.length);
    const timer = progress === undefined ? undefined : setInterval(tell, PAUSE);
    let results;
    try {
      results = await native.openerOpenMany(this.#held, readable, bytes, done);
    } catch (error) {
      throw unpack(String(/** @type {any} */ (error)?.message));
    } finally {
      clearInterval(timer);
    }
    const opened = results.map((/** @type {any} */ result, /** @type {number} */ index) => {
      if (!Array.isArray(result)) return result;
      const own = given[index];
      const error = own instanceof LogFluxError ? new EntryError(own.message, { stage: own.stage, index }) : unpack(result[0], index);
      if (!returnErrors) throw error;
      return error;
    });
    progress?.(given.length, given.length);
    return opened;
  }
}

/**
 * Seals one message under a salt and a key of its own. It costs a whole derivation, tens of
 * milliseconds; a `Sealer` spends fewer.
 * @param {string | Uint8Array} message @param {unknown} secret
 * @param {{ node?: string, level?: number | string, timestamp?: Date | number | string, mode?: number | string }} [options]
 */
function seal(message, secret, { node, level, timestamp, mode } = {}) {
  return new Sealer(secret, { node, mode }).seal(message, { level, timestamp });
}

/** Opens one entry whose message is text. @param {unknown} entry @param {unknown} secret or a `Keyring` */
function open(entry, secret) {
  return new Opener(secret).open(entry);
}

/** Opens one entry whatever its message's bytes are. @param {unknown} entry @param {unknown} secret or a `Keyring` */
function openBytes(entry, secret) {
  return new Opener(secret).openBytes(entry);
}

/**
 * Opens many entries on all cores; the event loop goes on.
 * @param {Iterable<unknown>} entries @param {unknown} secret or a `Keyring`
 * @param {{ progress?: (done: number, total: number) => void, returnErrors?: boolean, bytes?: boolean }} [options]
 */
async function openMany(entries, secret, options) {
  return new Opener(secret).openMany(entries, options);
}

exports.Entry = Entry;
exports.Opener = Opener;
exports.Sealer = Sealer;
exports.messageOf = messageOf;
exports.open = open;
exports.openBytes = openBytes;
exports.openMany = openMany;
exports.seal = seal;
exports.textOf = textOf;
exports.timeOf = timeOf;
