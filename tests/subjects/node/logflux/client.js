// Shipping entries on Node's own https. It shares no code with LogFlux.
'use strict';
const fs = require('node:fs');
const https = require('node:https');
const { setTimeout: sleep } = require('node:timers/promises');
const { seal } = require('./entry.js');
const { need } = require('./json.js');

const AGAIN = [408, 429, 500, 502, 503, 504, 507];
const BATCH = 100;

// Seals what is logged, and sends it when it is flushed.
class Client {
  constructor({ endpoint, caFile, apiKey, secret }) {
    this.url = new URL('/v1/ingest', endpoint);
    need(this.url.protocol === 'https:');
    Object.assign(this, { secret, apiKey, ca: fs.readFileSync(caFile), entries: [] });
  }

  log({ node, level, mode, message }) {
    const timestamp = new Date().toISOString();
    this.entries.push(seal(this.secret, { node, level, timestamp, mode, message }));
  }

  // Sends everything, or gives up in time.
  async flush(timeout) {
    const { entries } = this;
    const until = Date.now() + timeout;
    for (let pause = 100; entries.length > 0;) {
      const body = `[${entries.slice(0, BATCH).join(',')}]`;
      const { status, wait } = await this.post(body).catch(() => ({ wait: 0 }));
      if (status === 200) {
        entries.splice(0, BATCH);
        continue;
      }
      // Redirects are not followed, and no other refusal is tried again.
      need(!(status >= 300) || AGAIN.includes(status));
      const next = Math.max(wait, pause);
      need(Date.now() + next <= until);
      await sleep(next);
      pause *= 2;
    }
  }

  post(body) {
    return new Promise((resolve, reject) => {
      const headers = {
        Authorization: `Bearer ${this.apiKey}`,
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
      };
      const { ca } = this;
      const options = { method: 'POST', headers, ca, agent: false, minVersion: 'TLSv1.2', timeout: 10_000 };
      const request = https.request(this.url, options, (answer) => {
        answer.resume().on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode, wait: retryAfter(answer.headers['retry-after']) }));
      });
      request.on('error', reject).on('timeout', () => request.destroy(new Error('too slow')));
      request.end(body);
    });
  }
}

// Milliseconds to wait, of seconds or a date, up to 5 min.
function retryAfter(value = '0') {
  const wait = /^\d+$/.test(value) ? value * 1000 : Date.parse(value) - Date.now();
  return Math.max(0, Math.min(wait || 0, 300_000));
}

module.exports = { Client };
