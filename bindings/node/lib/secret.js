'use strict';

/** The secret, and several of them. */

const { inspect } = require('node:util');
const native = require('./native.js');
const { SecretError } = require('./errors.js');

/**
 * The passphrase or generated key from which every key is derived: its UTF-8 exactly as given. It shows
 * nothing of itself, and its memory is zeroed at its end.
 */
class Secret {
  #held;

  /** @param {string | Uint8Array} text */
  constructor(text) {
    this.#held = take(text);
  }

  /** A new secret of 256 bits, as 64 hexadecimal digits. */
  static generate() {
    return new Secret(/** @type {any} */ (new Held(native.secretGenerate())));
  }

  /** The secret that LOGFLUX_SECRET, LOGFLUX_SECRET_FILE or LOGFLUX_SECRET_COMMAND names. */
  static fromEnv() {
    return new Secret(/** @type {any} */ (new Held(native.secretFromEnv(variables()))));
  }

  /** What the addon has of a secret. @param {unknown} secret @returns {any} */
  static _held(secret) {
    return secret instanceof Secret && #held in secret ? secret.#held : take(secret);
  }

  /** The secret itself, as text. */
  expose() {
    return native.secretExpose(this.#held);
  }

  toString() {
    return 'Secret([redacted])';
  }

  toJSON() {
    return '[redacted]';
  }

  [inspect.custom]() {
    return 'Secret([redacted])';
  }
}

/** A secret that the addon has made. It is no text of JavaScript's, which could not be zeroed. */
class Held {
  /** @param {any} value */
  constructor(value) {
    this.value = value;
  }
}

/** @param {unknown} text @returns {any} */
function take(text) {
  if (text instanceof Held) return text.value;
  if (typeof text === 'string') {
    if (!isWellFormed(text)) throw new SecretError('secret holds half a surrogate pair, which UTF-8 cannot');
  } else if (!(text instanceof Uint8Array)) {
    throw new SecretError(`secret must be a string, bytes or a Secret, not ${kind(text)}`);
  }
  return native.secretNew(text);
}

/** Several secrets, the newest first, so that old entries stay readable after a rotation. */
class Keyring {
  #held;
  #secrets;

  /** @param {...(string | Uint8Array | Secret | { secret: string | Uint8Array | Secret, since?: Date | string | number })} secrets */
  constructor(...secrets) {
    const made = secrets.map((given) => {
      const since = /** @type {any} */ (given)?.since;
      const dated = since !== undefined || (typeof given === 'object' && given !== null && 'secret' in given);
      return { held: Secret._held(dated ? /** @type {any} */ (given).secret : given), since };
    });
    this.#secrets = made.length;
    const since = made.map(({ since }) => (since === undefined ? undefined : new Date(since).toISOString()));
    this.#held = native.keyringNew(made.map(({ held }) => held), since);
  }

  /** @param {unknown} keyring @returns {any} */
  static _held(keyring) {
    return keyring instanceof Keyring && #held in keyring ? keyring.#held : undefined;
  }

  /** How many secrets it has. */
  get size() {
    return this.#secrets;
  }

  toString() {
    return `Keyring([${this.#secrets} redacted])`;
  }

  toJSON() {
    return this.toString();
  }

  [inspect.custom]() {
    return this.toString();
  }
}

/** The variables that are LogFlux's. @returns {Record<string, string>} */
function variables() {
  /** @type {Record<string, string>} */
  const ours = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (name.startsWith('LOGFLUX_') && value !== undefined) ours[name] = value;
  }
  return ours;
}

/** What a value is, but nothing of it. @param {unknown} value @returns {string} */
function kind(value) {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** @param {string} text @returns {boolean} */
function isWellFormed(text) {
  return /** @type {any} */ (text).isWellFormed();
}

exports.Keyring = Keyring;
exports.Secret = Secret;
exports.isWellFormed = isWellFormed;
exports.kind = kind;
exports.variables = variables;
