'use strict';

/** The eight levels, and what other loggers call them. */

const Level = Object.freeze({
  EMERGENCY: 1,
  ALERT: 2,
  CRITICAL: 3,
  ERROR: 4,
  WARNING: 5,
  NOTICE: 6,
  INFO: 7,
  DEBUG: 8,
});

const Mode = Object.freeze({ PBKDF2: 1, SCRYPT: 2, ARGON2: 3, CHACHA20_ARGON2: 4, HKDF: 128 });

/** @type {Readonly<Record<string, number>>} */
const NUMBERS = Object.freeze({
  emergency: 1,
  emerg: 1,
  alert: 2,
  critical: 3,
  crit: 3,
  fatal: 3,
  error: 4,
  err: 4,
  warning: 5,
  warn: 5,
  notice: 6,
  info: 7,
  http: 7,
  log: 7,
  debug: 8,
  verbose: 8,
  trace: 8,
  silly: 8,
});

/** @param {string} name @param {number} otherwise @returns {number} */
function numberOf(name, otherwise) {
  const lower = name.toLowerCase();
  return Object.hasOwn(NUMBERS, lower) ? /** @type {number} */ (NUMBERS[lower]) : otherwise;
}

/**
 * The level of a number or a name; `otherwise` if there is no such level.
 * @param {unknown} level @param {number} otherwise @returns {number}
 */
function levelOf(level, otherwise = Level.INFO) {
  if (typeof level === 'number') return Number.isInteger(level) && level >= 1 && level <= 8 ? level : otherwise;
  return typeof level === 'string' ? numberOf(level, otherwise) : otherwise;
}

exports.Level = Level;
exports.Mode = Mode;
exports.levelOf = levelOf;
