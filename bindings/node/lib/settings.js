'use strict';

/** What a client is set to, as the addon takes it. */

const { fileURLToPath } = require('node:url');
const native = require('./native.js');
const { SettingsError } = require('./errors.js');
const { Secret, isWellFormed, kind, variables } = require('./secret.js');

/** @type {Map<string, any> | undefined} */
let table;
/** The table of settings, by name. */
function settings() {
  table ??= new Map(native.settings().map((/** @type {any} */ row) => [row.name, row]));
  return table;
}

/** @type {Record<string, number>} */
const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @param {string} name @param {string} what @returns {never} */
function wrong(name, what) {
  throw new SettingsError(`${name}: ${what}`);
}

/**
 * A duration in milliseconds: a number of them, or text such as `1.5s`.
 * @param {string} name @param {unknown} value @returns {number}
 */
function milliseconds(name, value) {
  if (typeof value === 'number' && value >= 0) return value;
  const found = typeof value === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(value) : null;
  if (found === null) {
    return wrong(name, 'must be a number of milliseconds that is 0 or more, or a text such as "250ms" or "5s"');
  }
  return Number(found[1]) * /** @type {number} */ (UNITS[found[2] ?? 's']);
}

/** @param {string} name @param {unknown} value @param {any} row @returns {string} */
function asText(name, value, row) {
  if ((name === 'caFile' || name === 'spoolDir') && value instanceof URL) return fileURLToPath(value);
  if (typeof value === 'string') {
    if (value === '') return wrong(name, 'must not be empty');
    return isWellFormed(value) ? value : wrong(name, 'holds half a surrogate pair');
  }
  const numeric = row.kind !== 'text' || name === 'mode' || name === 'minLevel';
  if (numeric && row.kind !== 'choice' && (typeof value === 'number' || typeof value === 'bigint')) {
    const whole = row.kind !== 'number' || typeof value === 'bigint' || Number.isInteger(value);
    if (row.min !== undefined && !(whole && value >= row.min && value <= row.max)) return wrong(name, `must be ${row.values}`);
    // An exponent is part of no text.
    return row.kind === 'duration' ? `${Number(value).toFixed(6)}ms` : String(value);
  }
  return wrong(name, `must be ${row.values}, not ${kind(value)}`);
}

/**
 * Takes settings apart for the addon.
 * @param {object} given
 */
function read(given) {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new SettingsError(`settings: must be an object, not ${kind(given)}`);
  }
  /** @type {Record<string, string>} */
  const values = {};
  let secret;
  let bounds;
  /** @type {Record<string, any>} */
  const callbacks = {};
  for (const [name, value] of Object.entries(given)) {
    if (name === 'secret' || name === 'apiKey') {
      // The variable that it was to come from is not set. Another's secret must not stand in for it.
      if (value === undefined) wrong(name, 'is undefined: give it, or leave it out for the LOGFLUX_… variables');
    } else if (value === undefined) continue;
    if (value === null && name === 'node') continue;
    if (name === 'onDrop' || name === 'onNotice') {
      if (typeof value !== 'function') wrong(name, `must be a function, not ${kind(value)}`);
      callbacks[name] = value;
    } else if (name === 'secret') {
      secret = Secret._held(value);
    } else if (name === 'keyPolicy' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
      [values.keyPolicy, bounds] = policy(value);
    } else if (settings().has(name)) {
      values[name] = asText(name, value, settings().get(name));
    } else {
      wrong(name, 'is no setting');
    }
  }
  return { values, environment: variables(), secret, bounds, ...callbacks };
}

/**
 * The name and the bounds of a key policy.
 * @param {any} given @returns {[string, object | undefined]}
 */
function policy(given) {
  if (typeof given === 'string') return [given, undefined];
  const { name = 'adaptive', budget, maxEntries, maxAge, ...rest } = given;
  for (const [what, value] of Object.entries({ budget, maxEntries })) {
    if (value !== undefined && typeof value !== 'number') wrong('keyPolicy', `${what} must be a number, not ${kind(value)}`);
  }
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) wrong('keyPolicy', `${unknown} is no part of it`);
  if (typeof name !== 'string') wrong('keyPolicy', `name must be a string, not ${kind(name)}`);
  return [name, { budget, maxEntries, maxAge: maxAge === undefined ? undefined : milliseconds('keyPolicy.maxAge', maxAge) }];
}

exports.milliseconds = milliseconds;
exports.policy = policy;
exports.read = read;
