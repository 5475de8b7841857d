// Shipping entries on Node's own https. It shares no code with LogFlux.
'use strict';
const fs = require('node:fs');
const https = require('node:https');
const { setTimeout: sleep } = require('node:timers/promises');
const { seal } = require('./entry.js');
const { need } = require('./json.js');

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

  // Sends everything, or gives up in time. Only the API itself can refuse an entry.
  async flush(timeout) {
    const { entries } = this;
    const until = Date.now() + timeout;
    let size = BATCH;
    let refused = 0;
    for (let pause = 100; entries.length > 0;) {
      const batch = entries.slice(0, size);
      const { status, wait, api } = await this.post(`[${batch.join(',')}]`).catch(() => ({ wait: 0 }));
      const final = status === 400 || status === 413;
      if (final && batch.length > 1 && (api || status === 413)) {
        size = batch.length >> 1;
        continue;
      }
      if (api && (status === 200 || final)) {
        refused += final ? 1 : (api.failures ?? []).length;
        entries.splice(0, size);
        size = BATCH;
        pause = 100;
        continue;
      }
      const next = Math.max(wait, pause);
      need(Date.now() + next <= until);
      await sleep(next);
      pause *= 2;
    }
    need(refused === 0);
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
        const parts = [];
        answer.on('error', reject).on('data', (part) => parts.push(part));
        answer.on('end', () => resolve({
          status: answer.statusCode,
          wait: retryAfter(answer.headers['retry-after']),
          api: inTheApisForm(Buffer.concat(parts)),
        }));
      });
      request.on('error', reject).on('timeout', () => request.destroy(new Error('too slow')));
      request.end(body);
    });
  }
}

// The answer of an ingest API; none where it is a proxy's or a login page.
function inTheApisForm(body) {
  try {
    const answer = JSON.parse(body);
    return answer?.status ? answer : undefined;
  } catch {
    return undefined;
  }
}

// Milliseconds to wait, of seconds or a date, up to 5 min.
function retryAfter(value = '0') {
  const wait = /^\d+$/.test(value) ? value * 1000 : Date.parse(value) - Date.now();
  return Math.max(0, Math.min(wait || 0, 300_000));
}

module.exports = { Client };
