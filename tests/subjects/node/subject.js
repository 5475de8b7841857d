// A subject on Node's own crypto and https: the format is entry.js.
'use strict';
const { randomBytes } = require('node:crypto');
const fs = require('node:fs');
const https = require('node:https');
const readline = require('node:readline');
const { setTimeout: sleep } = require('node:timers/promises');
const format = require('./entry.js');

const AGAIN = [408, 429, 500, 502, 503, 504, 507];
const BATCH = 100;
const EPOCH = randomBytes(16);
let shipment;

const hex = (text) => Buffer.from(text, 'hex');
const entryOf = (request) => Buffer.from(request.entry_b64, 'base64');
const freshSalt = (mode) => (mode === 128 ? Buffer.concat([EPOCH, randomBytes(16)]) : randomBytes(32));

function seal(request, message, { timestamp, salt, iv }) {
  return format.seal(hex(request.secret_hex), {
    node: request.node, level: message.loglevel, timestamp, mode: request.mode,
    message: hex(message.message_hex), salt: salt ?? freshSalt(request.mode), iv: iv ?? randomBytes(12),
  });
}

const operations = {
  hello: () => ({
    name: 'Node crypto', version: process.versions.node, language: 'JavaScript',
    operations: ['open', 'parse', 'seal', 'derive', 'ship'], modes: format.MODES, key_policy: 'unique',
  }),
  open: (request) => ({ message_hex: format.open(entryOf(request), hex(request.secret_hex)).toString('hex') }),
  parse: (request) => (format.parse(entryOf(request)), {}),
  derive: (request) => {
    const [key] = format.keys(request.mode, hex(request.secret_hex), hex(request.salt_hex));
    return { key_hex: key.toString('hex') };
  },
  seal: (request) => {
    const given = { timestamp: request.timestamp };
    if (request.salt_hex !== undefined) Object.assign(given, { salt: hex(request.salt_hex), iv: hex(request.iv_hex) });
    return { entry_b64: seal(request, request, given).toString('base64') };
  },
  ship: (request) => {
    const url = new URL('/v1/ingest', request.endpoint);
    if (url.protocol !== 'https:') throw new format.Refused();
    const timestamp = new Date().toISOString();
    const entries = request.messages.map((message) => seal(request, message, { timestamp }));
    shipment = { url, entries, key: request.api_key, ca: fs.readFileSync(request.ca_file) };
    return {};
  },
  flush: async (request) => {
    const { url, key, ca, entries } = shipment;
    const until = Date.now() + request.timeout_ms;
    for (let pause = 100; entries.length > 0;) {
      const body = `[${entries.slice(0, BATCH).join(',')}]`;
      const { status, wait } = await post(url, key, ca, body).catch(() => ({ wait: 0 }));
      if (status === 200) {
        entries.splice(0, BATCH);
        continue;
      }
      // Redirects are not followed, and no other refusal is tried again.
      if (status >= 300 && !AGAIN.includes(status)) throw new format.Refused();
      const next = Math.max(wait, pause);
      if (Date.now() + next > until) throw new format.Refused();
      await sleep(next);
      pause *= 2;
    }
    return {};
  },
  stop: () => ({}),
};

function post(url, key, ca, body) {
  return new Promise((resolve, reject) => {
    const headers = {
      Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body),
    };
    const options = { method: 'POST', headers, ca, agent: false, minVersion: 'TLSv1.2', timeout: 10_000 };
    const request = https.request(url, options, (answer) => {
      answer.resume().on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, wait: retryAfter(answer.headers['retry-after']) }));
    });
    request.on('error', reject).on('timeout', () => request.destroy(new Error('too slow')));
    request.end(body);
  });
}

// Milliseconds to wait, of seconds or a date, up to 5 min.
function retryAfter(value = '0') {
  const wait = /^\d+$/.test(value) ? value * 1000 : Date.parse(value) - Date.now();
  return Math.max(0, Math.min(wait || 0, 300_000));
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let answer;
    try {
      answer = { ok: await operations[request.op](request) };
    } catch (error) {
      if (!(error instanceof format.Refused)) throw error;
      answer = { error: { stage: error.stage, message: error.message } };
    }
    process.stdout.write(`${JSON.stringify({ id: request.id, ...answer })}\n`);
    if (request.op === 'stop') break;
  }
}

main();
