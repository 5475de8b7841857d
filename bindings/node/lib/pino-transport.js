'use strict';

/** What `transport: { target: '@logflux/logflux-js-sdk/pino' }` loads. */

const { pino, transport } = require('./pino.js');

module.exports = Object.assign(transport, { default: transport, pino, transport });
