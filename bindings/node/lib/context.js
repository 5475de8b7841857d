'use strict';

/** Fields that every line within a call has. */

const { UNFORMATTED } = require('./json.js');

/** @type {import('node:async_hooks').AsyncLocalStorage<object> | undefined} */
let storage;
/** @type {(() => object | undefined) | undefined} */
let outer;

/**
 * Calls `fn`; what is logged within it, whenever that is, has these fields.
 * @template T @param {object} fields @param {() => T} fn @returns {T}
 */
function withContext(fields, fn) {
  // Most applications use none, and so pay nothing for it.
  storage ??= new (require('node:async_hooks').AsyncLocalStorage)();
  let all;
  try {
    all = { ...storage.getStore(), ...fields };
  } catch {
    all = { ...storage.getStore(), context: UNFORMATTED };
  }
  return storage.run(all, fn);
}

/** `fields` gives fields for every line, such as the ids of a trace. @param {(() => object | undefined) | undefined} fields */
function setContext(fields) {
  if (fields !== undefined && fields !== null && typeof fields !== 'function') {
    throw new TypeError('fields must be a function');
  }
  outer = fields ?? undefined;
}

/** The fields that a line has now. @returns {object | undefined} */
function context() {
  if (storage === undefined && outer === undefined) return undefined;
  const inner = storage?.getStore();
  if (outer === undefined) return inner;
  try {
    const fields = outer();
    return inner === undefined ? (fields ?? undefined) : { ...fields, ...inner };
  } catch {
    return inner;
  }
}

exports.context = context;
exports.setContext = setContext;
exports.withContext = withContext;
