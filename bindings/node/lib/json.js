'use strict';

/**
 * One JSON object of whatever an application logs: `message`, `target`, `fields`, `exception`. It never
 * fails, and takes a bounded time.
 */

const { isNativeError } = require('node:util/types');

const UNFORMATTED = '[a value could not be formatted]';
/** How deep fields may be. */
const DEPTH_MAX = 16;
/** How many values all fields of a line may have. */
const VALUES_MAX = 10_000;
/** How many characters: escaped, each is 6 bytes at most, so that they fit into an entry. */
const CHARS_MAX = 120_000;
/** The longest message that an entry can hold, in bytes; a string has at most as many characters. */
const MESSAGE_MAX = 786_416;
/** What is too long for an entry is dropped and counted, and need not be copied for it. */
const cutMessage = (/** @type {string} */ text) =>
  text.length > MESSAGE_MAX ? text.slice(0, MESSAGE_MAX + 1) : text;
const HUGE = 1n << 4096n;

/** What may still be written of a line. */
class Budget {
  values = VALUES_MAX;
  chars = CHARS_MAX;
  /** The objects that the present one is in. @type {object[]} */
  path = [];
  /** The first error among the fields. @type {unknown} */
  error = undefined;
}

/** @param {unknown} value @returns {boolean} */
function isError(value) {
  try {
    return isNativeError(value) || value instanceof Error;
  } catch {
    return false;
  }
}

/**
 * A value as text. An object is JSON: `String` would follow every path of an array, and there can be more
 * of them than can be counted.
 * @param {unknown} value @returns {string}
 */
function asText(value) {
  try {
    if (typeof value === 'bigint') return bigint(value);
    if (typeof value === 'function') return `[function ${String(value.name)}]`;
    if (typeof value !== 'object' || value === null) return String(value);
    const copied = plain(value, new Budget(), 0);
    return typeof copied === 'string' ? copied : stringify(copied);
  } catch {
    return UNFORMATTED;
  }
}

/** Huge numbers take minutes to write. @param {bigint} value @returns {string} */
function bigint(value) {
  return value < HUGE && value > -HUGE ? value.toString() : '[a BigInt of more than 4096 bits]';
}

/** @param {string} text @param {Budget} budget @returns {string} */
function within(text, budget) {
  const left = Math.max(budget.chars, 0);
  budget.chars -= text.length;
  return text.length <= left ? text : `${text.slice(0, left)}…`;
}

/** `name: message` of an error. @param {any} error @returns {string} */
function brief(error) {
  try {
    const [name, message] = [error.name, error.message].map((part) => (part === undefined ? '' : asText(part)));
    return (name && message ? `${name}: ${message}` : `${name}${message}`).slice(0, CHARS_MAX) || 'Error';
  } catch {
    return UNFORMATTED;
  }
}

/** The stack of an error, with those of its causes. @param {any} error @returns {string} */
function stackOf(error) {
  const [DEEP, LONG] = [8, 30_000];
  const parts = [];
  const seen = new Set();
  for (let next = error; next != null && parts.length < DEEP && !seen.has(next); ) {
    seen.add(next);
    let stack;
    let cause;
    try {
      stack = isError(next) ? next.stack : asText(next);
      cause = next.cause;
    } catch {
      // As much as can be had.
    }
    parts.push((typeof stack === 'string' && stack !== '' ? stack : brief(next)).slice(0, LONG));
    next = cause;
  }
  return parts.join('\ncaused by: ');
}

/** A copy that holds JSON's own kinds alone. @param {any} value @param {Budget} budget @param {number} depth @returns {any} */
function plain(value, budget, depth) {
  switch (typeof value) {
    case 'string':
      return within(value, budget);
    case 'number':
      if (Number.isFinite(value)) return value;
      return Number.isNaN(value) ? 'NaN' : value > 0 ? 'inf' : '-inf';
    case 'boolean':
    case 'undefined':
      return value;
    case 'object':
      break;
    default:
      return within(asText(value), budget);
  }
  if (value === null) return null;
  if (depth > DEPTH_MAX) return '…';
  if (budget.path.includes(value)) return '[circular]';
  budget.path.push(value);
  try {
    return copy(value, budget, depth);
  } catch {
    return UNFORMATTED;
  } finally {
    budget.path.pop();
  }
}

/** @param {any} value @param {Budget} budget @param {number} depth @returns {any} */
function copy(value, budget, depth) {
  const { toJSON } = value;
  // What most fields are needs no further look.
  if (toJSON === undefined && Object.getPrototypeOf(value) === Object.prototype) return properties(value, budget, depth);
  if (isError(value)) {
    budget.error ??= value;
    return within(depth > 1 ? stackOf(value) : brief(value), budget);
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return `[${value.constructor.name} of ${value.byteLength} bytes]`;
  }
  if (typeof toJSON === 'function') return plain(toJSON.call(value), budget, depth + 1);
  if (value instanceof RegExp || value instanceof String || value instanceof Number || value instanceof Boolean) {
    return within(String(value), budget);
  }
  if (Array.isArray(value)) return list(value, budget, depth);
  if (value instanceof Set) return list(value, budget, depth);
  if (value instanceof Map) return entries(value, budget, depth);
  return properties(value, budget, depth);
}

/** @param {any} value @param {Budget} budget @param {number} depth @returns {object} */
function properties(value, budget, depth) {
  const copied = {};
  for (const key of Object.keys(value)) {
    if (--budget.values < 0) {
      put(copied, '…', '…');
      break;
    }
    let member;
    try {
      member = value[key];
    } catch {
      member = UNFORMATTED;
    }
    put(copied, within(key, budget), plain(member, budget, depth + 1));
  }
  return copied;
}

/** Adds a member, whatever its name. @param {any} object @param {string} name @param {unknown} value */
function put(object, name, value) {
  if (name === '__proto__') Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  else object[name] = value;
}

/** @param {Iterable<unknown>} values @param {Budget} budget @param {number} depth @returns {unknown[]} */
function list(values, budget, depth) {
  const copied = [];
  for (const value of values) {
    if (--budget.values < 0) {
      copied.push('…');
      break;
    }
    copied.push(plain(value, budget, depth + 1) ?? null);
  }
  return copied;
}

/** @param {Map<unknown, unknown>} map @param {Budget} budget @param {number} depth @returns {object} */
function entries(map, budget, depth) {
  const copied = {};
  for (const [key, value] of map) {
    if (--budget.values < 0) {
      put(copied, '…', '…');
      break;
    }
    put(copied, within(asText(key), budget), plain(value, budget, depth + 1));
  }
  return copied;
}

/** JSON whose every string is Unicode: half a surrogate pair is U+FFFD. @param {unknown} value @returns {string} */
function stringify(value) {
  const json = JSON.stringify(value);
  return json.includes('\\ud')
    ? json.replace(/\\(?:(ud[89a-f][0-9a-f]{2})|.)/g, (found, half) => (half === undefined ? found : '\ufffd'))
    : json;
}

/**
 * The object that a line becomes; what it has not is left out.
 * @param {{ message?: string | undefined, target?: string | undefined, fields?: unknown, more?: object, context?: unknown, error?: unknown, exception?: string | undefined, omit?: string }} line
 *   `more` has fields that come before those of the same names; `omit` is a field that is left out
 * @returns {string}
 */
function event({ message, target, fields, more, context, error, exception, omit }) {
  const budget = new Budget();
  budget.error = error;
  const parts = [];
  if (message !== undefined) parts.push(`"message":${stringify(cutMessage(message))}`);
  if (target !== undefined && target !== '') parts.push(`"target":${stringify(within(target, budget))}`);
  let all;
  for (const some of [context, fields, more]) {
    if (some === undefined || some === null) continue;
    const copied = plain(typeof some === 'object' ? some : { value: some }, budget, 0);
    const object = typeof copied === 'object' && !Array.isArray(copied) ? copied : { value: copied };
    if (all === undefined) all = object;
    else for (const [name, value] of Object.entries(object)) put(all, name, value);
  }
  if (all !== undefined) {
    if (omit !== undefined) delete all[omit];
    const json = stringify(all);
    if (json !== '{}') parts.push(`"fields":${json}`);
  }
  const text = exception ?? (budget.error === undefined ? undefined : stackOf(budget.error));
  if (text !== undefined) parts.push(`"exception":${stringify(text.slice(0, CHARS_MAX))}`);
  return `{${parts.join(',')}}`;
}

/**
 * What a logging call was given: text as it is, or else an object.
 * @param {unknown} message @param {unknown} fields @param {unknown} context @returns {string}
 */
function compose(message, fields, context) {
  let error;
  if (typeof message === 'object' && message !== null) {
    if (isError(message)) {
      error = message;
      try {
        message = asText(/** @type {any} */ (message).message) || brief(message);
      } catch {
        message = UNFORMATTED;
      }
    } else if (message instanceof Uint8Array) {
      message = new TextDecoder().decode(message.subarray(0, MESSAGE_MAX + 1));
    } else if (fields === undefined || typeof fields === 'string') {
      // As pino has it: the fields, and then the message.
      [message, fields] = [fields, message];
    } else {
      message = asText(message);
    }
  }
  const text = message === undefined && fields !== undefined ? undefined : typeof message === 'string' ? message : asText(message);
  if (isError(fields)) [error, fields] = [error ?? fields, undefined];
  if (error === undefined && fields === undefined && context === undefined) return cutMessage(text ?? '');
  return event({ message: text, fields, context, error });
}

exports.UNFORMATTED = UNFORMATTED;
exports.asText = asText;
exports.brief = brief;
exports.compose = compose;
exports.cutMessage = cutMessage;
exports.event = event;
exports.isError = isError;
exports.stackOf = stackOf;
