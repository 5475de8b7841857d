// What the implementation offers.
'use strict';
const { MODES, keys, open, parse, seal } = require('./entry.js');
const { Client } = require('./client.js');
const { Refused } = require('./json.js');

module.exports = { Client, MODES, Refused, keys, open, parse, seal };
