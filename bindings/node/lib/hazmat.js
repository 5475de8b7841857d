'use strict';

/** For test vectors, and for nothing else. */

const native = require('./native.js');
const { Entry, messageOf, textOf, timeOf } = require('./sealing.js');
const { Secret } = require('./secret.js');

/**
 * Seals with the salt (32 bytes) and the iv (12 bytes) that are given. Two messages under one salt and
 * iv can both be read by anyone who has the two entries.
 * @param {string | Uint8Array} message @param {unknown} secret
 * @param {{ salt: Uint8Array, iv: Uint8Array, node: string, timestamp: Date | number | string, level?: number | string, mode?: number | string }} options
 */
function sealWithSaltAndIv(message, secret, { salt, iv, node, timestamp, level = 'info', mode }) {
  const held = Secret._held(secret);
  return new Entry(native.hazmatSeal(messageOf(message), held, salt, iv, textOf(node, 'node'), String(level), timeOf(timestamp), textOf(mode, 'mode')));
}

/**
 * The 32 bytes that key the cipher of an entry with this salt; in mode 128, the entry's own key.
 * @param {unknown} secret @param {Uint8Array} salt @param {{ mode?: number | string }} [options] @returns {Buffer}
 */
function deriveKey(secret, salt, { mode } = {}) {
  return native.hazmatDeriveKey(Secret._held(secret), salt, textOf(mode, 'mode'));
}

exports.deriveKey = deriveKey;
exports.sealWithSaltAndIv = sealWithSaltAndIv;
