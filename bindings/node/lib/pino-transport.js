'use strict';

/** What `transport: { target: '@logflux/logflux-js-sdk/pino' }` loads. */

const { pino, transport } = require('./pino.js');

Object.defineProperty(exports, '__esModule', { value: true });
exports.pino = pino;
exports.transport = transport;
exports.default = transport;
