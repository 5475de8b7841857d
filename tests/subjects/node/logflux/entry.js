// The LogFlux entry format on Node's own crypto. It shares no code with LogFlux.
'use strict';
const crypto = require('node:crypto');
const { Refused, need, readJson, text } = require('./json.js');

// Node 20 and older have no Argon2, which modes 3 and 4 need.
const MODES = [1, 2, 128];
const PAYLOAD_MAX = 786_432;
const FIELDS = {
  node: 'string', payload: 'string', loglevel: 'bigint', timestamp: 'string',
  encryption_mode: 'bigint', iv: 'string', salt: 'string',
};
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;

function readTime(source) {
  const [, date, fraction = '', sign, hours = '0', minutes = '0'] = TIME.exec(source) ?? [];
  const moment = new Date(`${date}Z`);
  need(!Number.isNaN(+moment) && moment.toISOString().startsWith(date), 'field');
  need(hours < 24 && minutes < 60, 'field');
  const offset = (hours * 60 + +minutes) * 60 * (sign === '-' ? -1 : 1);
  const seconds = +moment / 1000 - offset;
  need(seconds >= -62_135_596_800 && seconds <= 253_402_300_799, 'field');
  return { seconds, nanos: +fraction.padEnd(9, '0') };
}

function writeTime({ seconds, nanos }) {
  const digits = [0, 3, 6, 9].find((d) => nanos % 10 ** (9 - d) === 0);
  const fraction = digits ? `.${String(nanos).padStart(9, '0').slice(0, digits)}` : '';
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction}Z`;
}

// What reading and sealing check alike.
function check(entry) {
  need(MODES.concat(3, 4).includes(entry.mode), 'mode');
  const length = [...entry.node].length;
  need(length >= 1 && length <= 255 && !/\p{Cc}/u.test(entry.node), 'field');
  need(entry.level >= 1 && entry.level <= 8, 'field');
  return { ...entry, time: readTime(entry.timestamp) };
}

function parse(bytes) {
  let fields;
  try {
    fields = readJson(text(bytes, 'json'));
  } catch (error) {
    throw error instanceof RangeError ? new Refused('json') : error; // nested too deep
  }
  need(fields instanceof Map, 'json');
  const [node, payload, level, timestamp, mode, iv, salt] = Object.entries(FIELDS).map(([name, type]) => {
    need(typeof fields.get(name) === type, 'field');
    return fields.get(name);
  });
  const entry = check({ node, level: Number(level), timestamp, mode: Number(mode) });
  for (const [name, encoded] of Object.entries({ iv, salt, payload })) {
    entry[name] = Buffer.from(encoded, 'base64');
    need(entry[name].toString('base64') === encoded, 'base64');
  }
  need(entry.iv.length === 12 && entry.salt.length === 32, 'size');
  need(entry.payload.length >= (mode === 128n ? 48 : 16) && entry.payload.length <= PAYLOAD_MAX, 'size');
  return entry;
}

const known = new Map();
function derived(mode, secret, salt) {
  const name = `${mode} ${secret.toString('hex')} ${salt.toString('hex')}`;
  if (!known.has(name)) {
    if (known.size > 8) known.clear();
    known.set(name, mode === 2
      ? crypto.scryptSync(secret, salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 })
      : crypto.pbkdf2Sync(secret, salt, 600_000, 32, 'sha256'));
  }
  return known.get(name);
}

// The key of an entry, and its commitment, which is empty but in mode 128.
function keys(mode, secret, salt) {
  need(text(secret).trim() !== '' && MODES.includes(mode), undefined);
  if (mode !== 128) return [derived(mode, secret, salt), Buffer.alloc(0)];
  const epoch = derived(1, secret, Buffer.concat([Buffer.from('logflux/128/epoch'), salt.subarray(0, 16)]));
  const hmac = (...parts) => crypto.createHmac('sha256', epoch).update(Buffer.concat(parts)).digest();
  const info = Buffer.concat([Buffer.from('logflux/128/entry'), salt.subarray(16)]);
  const first = hmac(info, Buffer.of(1)); // HKDF-Expand, RFC 5869
  return [first, hmac(first, info, Buffer.of(2))];
}

function cipher(make, entry, key) {
  const made = make('aes-256-gcm', key, entry.iv, { authTagLength: 16 });
  if (entry.mode === 128) {
    const node = Buffer.from(entry.node);
    const numbers = Buffer.alloc(15);
    numbers.writeUInt8(entry.level, 0);
    numbers.writeBigInt64BE(BigInt(entry.time.seconds), 1);
    numbers.writeUInt32BE(entry.time.nanos, 9);
    numbers.writeUInt16BE(node.length, 13);
    made.setAAD(Buffer.concat([Buffer.from('logflux/128'), numbers, node]));
  }
  return made;
}

function open(bytes, secret) {
  const entry = parse(bytes);
  const [key, commitment] = keys(entry.mode, secret, entry.salt);
  const { payload } = entry;
  const sealed = payload.subarray(commitment.length, -16);
  need(crypto.timingSafeEqual(payload.subarray(0, commitment.length), commitment), 'authentication');
  const opener = cipher(crypto.createDecipheriv, entry, key).setAuthTag(payload.subarray(-16));
  let message;
  try {
    message = Buffer.concat([opener.update(sealed), opener.final()]);
  } catch {
    throw new Refused('authentication');
  }
  text(message, 'utf8');
  return message;
}

// Half of the salt of mode 128 is the same in every entry of this process.
const EPOCH = crypto.randomBytes(16);
function freshSalt(mode) {
  return mode === 128 ? Buffer.concat([EPOCH, crypto.randomBytes(16)]) : crypto.randomBytes(32);
}

// With a fresh salt and iv, unless they are given, which is for test vectors only.
function seal(secret, given) {
  const entry = check({ salt: freshSalt(given.mode), iv: crypto.randomBytes(12), ...given });
  need(entry.iv.length === 12 && entry.salt.length === 32, 'size');
  need(entry.message.length <= PAYLOAD_MAX - (entry.mode === 128 ? 48 : 16), 'size');
  const [key, commitment] = keys(entry.mode, secret, entry.salt);
  const sealer = cipher(crypto.createCipheriv, entry, key);
  const sealed = [commitment, sealer.update(entry.message), sealer.final(), sealer.getAuthTag()];
  return Buffer.from(JSON.stringify({
    node: entry.node,
    payload: Buffer.concat(sealed).toString('base64'),
    loglevel: entry.level,
    timestamp: writeTime(entry.time),
    encryption_mode: entry.mode,
    iv: entry.iv.toString('base64'),
    salt: entry.salt.toString('base64'),
  }));
}

module.exports = { MODES, keys, open, parse, seal };
