// A subject on Node's own crypto and https: the implementation is in logflux.
'use strict';
const readline = require('node:readline');
const logflux = require('./logflux');

let client;

const hex = (text) => Buffer.from(text, 'hex');
const entryOf = (request) => Buffer.from(request.entry_b64, 'base64');

const operations = {
  hello: () => ({
    name: 'Node crypto', version: process.versions.node, language: 'JavaScript',
    operations: ['open', 'parse', 'seal', 'derive', 'ship'], modes: logflux.MODES, key_policy: 'unique',
  }),
  open: (request) => ({ message_hex: logflux.open(entryOf(request), hex(request.secret_hex)).toString('hex') }),
  parse: (request) => {
    logflux.parse(entryOf(request));
    return {};
  },
  derive: (request) => {
    const [key] = logflux.keys(request.mode, hex(request.secret_hex), hex(request.salt_hex));
    return { key_hex: key.toString('hex') };
  },
  seal: (request) => {
    const { node, loglevel: level, timestamp, mode } = request;
    const given = { node, level, timestamp, mode, message: hex(request.message_hex) };
    if (request.salt_hex !== undefined) Object.assign(given, { salt: hex(request.salt_hex), iv: hex(request.iv_hex) });
    return { entry_b64: logflux.seal(hex(request.secret_hex), given).toString('base64') };
  },
  ship: (request) => {
    const { endpoint, ca_file: caFile, api_key: apiKey, node, mode } = request;
    client = new logflux.Client({ endpoint, caFile, apiKey, secret: hex(request.secret_hex) });
    for (const { loglevel: level, message_hex } of request.messages) {
      client.log({ node, level, mode, message: hex(message_hex) });
    }
    return {};
  },
  flush: async (request) => {
    const shipped = client;
    client = undefined;
    await shipped?.flush(request.timeout_ms);
    return {};
  },
  stop: () => ({}),
};

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let answer;
    try {
      answer = { ok: await operations[request.op](request) };
    } catch (error) {
      if (!(error instanceof logflux.Refused)) throw error;
      answer = { error: { stage: error.stage, message: error.message } };
    }
    process.stdout.write(`${JSON.stringify({ id: request.id, ...answer })}\n`);
    if (request.op === 'stop') break;
  }
}

main();
