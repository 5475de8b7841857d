'use strict';

/** The addon's functions, whose errors are those of `errors.js`. */

const addon = require('./addon.js');
const { unpack } = require('./errors.js');

/** @type {any} */
const native = {};
for (const [name, call] of Object.entries(addon)) {
  native[name] = (/** @type {unknown[]} */ ...values) => {
    try {
      return call(...values);
    } catch (error) {
      throw unpack(String(/** @type {any} */ (error)?.message));
    }
  };
}
// These never fail, and are called often.
native.clientLog = addon.clientLog;
native.clientLogAt = addon.clientLogAt;

module.exports = native;
