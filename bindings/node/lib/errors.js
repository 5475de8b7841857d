'use strict';

/** The errors. None holds a secret, a message or a key. */

/** Everything that LogFlux throws is one. */
class LogFluxError extends Error {
  /** @param {string} message @param {{ stage?: string, field?: string, index?: number }} [where] */
  constructor(message, where = {}) {
    super(message);
    /** Where an entry failed, in the words of the test vectors. */
    this.stage = where.stage;
    /** The field of the entry. */
    this.field = where.field;
    /** Which of many entries it was. */
    this.index = where.index;
    for (const name of /** @type {const} */ (['stage', 'field', 'index'])) {
      if (this[name] === undefined) delete this[name];
    }
  }
}
/** A setting or a variable is missing or wrong; the message begins with its name. */
class SettingsError extends LogFluxError {}
/** A secret is not usable, or cannot be read. */
class SecretError extends LogFluxError {}
/** An entry, or one of its fields, is not valid. */
class EntryError extends LogFluxError {}
/** A message was not sealed. */
class SealError extends LogFluxError {}
/** Another secret, an altered entry, or no text. */
class OpenError extends LogFluxError {}

/** @type {Record<string, typeof LogFluxError>} */
const classes = { LogFluxError, SettingsError, SecretError, EntryError, SealError, OpenError };
for (const [name, { prototype }] of Object.entries(classes)) {
  Object.defineProperty(prototype, 'name', { value: name, configurable: true, writable: true });
}

/**
 * The error that the addon has packed into text.
 * @param {string} packed @param {number} [index] @returns {LogFluxError}
 */
function unpack(packed, index) {
  const [kind, stage, field, ...message] = packed.split('\u0001');
  const Class = classes[kind ?? ''];
  if (Class === undefined || message.length === 0) return new LogFluxError(packed, { index });
  return new Class(message.join(''), { stage: stage || undefined, field: field || undefined, index });
}

exports.EntryError = EntryError;
exports.LogFluxError = LogFluxError;
exports.OpenError = OpenError;
exports.SealError = SealError;
exports.SecretError = SecretError;
exports.SettingsError = SettingsError;
exports.unpack = unpack;
