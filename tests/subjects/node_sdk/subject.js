'use strict';

/** The subject of the npm package: what `logflux certify` starts. Its argument is where that is installed. */

const { createRequire } = require('node:module');
const { join } = require('node:path');
const readline = require('node:readline');

const installed = createRequire(join(process.argv[2], 'package.json'));
const logflux = installed('@logflux/logflux-js-sdk');
const hazmat = installed('@logflux/logflux-js-sdk/hazmat');

const bytes = (hex) => Buffer.from(hex, 'hex');
/** The secret, which may be none. */
const secret = ({ secret_hex }) => new logflux.Secret(bytes(secret_hex));
const entry = ({ entry_b64 }) => Buffer.from(entry_b64, 'base64');

/** Openers and sealers last between requests. */
const kept = new Map();
function keep(kind, { secret_hex }, make) {
  const name = `${kind} ${secret_hex}`;
  if (!kept.has(name)) kept.set(name, make());
  return kept.get(name);
}

/** The client that ships, until it has flushed. */
let client;

const operations = {
  hello: () => ({
    name: 'logflux (npm package)',
    version: logflux.version,
    language: 'JavaScript',
    operations: ['open', 'parse', 'seal', 'derive', 'ship'],
    modes: [1, 2, 3, 4, 128],
    key_policy: 'unique',
  }),
  stop: () => ({}),
  open: (request) => {
    const opener = keep('opener', request, () => new logflux.Opener(secret(request)));
    return { message_hex: Buffer.from(opener.open(entry(request))).toString('hex') };
  },
  parse: (request) => {
    logflux.Entry.parse(entry(request));
    return {};
  },
  derive: (request) => ({
    key_hex: hazmat.deriveKey(secret(request), bytes(request.salt_hex), { mode: request.mode }).toString('hex'),
  }),
  seal: (request) => {
    const { node, mode, loglevel: level, timestamp } = request;
    const message = bytes(request.message_hex);
    const sealed =
      'salt_hex' in request
        ? hazmat.sealWithSaltAndIv(message, secret(request), { salt: bytes(request.salt_hex), iv: bytes(request.iv_hex), node, mode, level, timestamp })
        : keep(`sealer ${mode} ${node}`, request, () => new logflux.Sealer(secret(request), { node, mode, keyPolicy: 'unique' })).seal(message, { level, timestamp });
    return { entry_b64: Buffer.from(String(sealed)).toString('base64') };
  },
  ship: (request) => {
    const { hints } = request;
    client = new logflux.LogFluxClient({
      serverUrl: request.endpoint,
      apiKey: request.api_key,
      secret: secret(request),
      node: request.node,
      caFile: request.ca_file,
      mode: request.mode,
      flushInterval: hints.flush_interval_ms,
      initialDelay: hints.initial_delay_ms,
      maxDelay: hints.max_delay_ms,
    });
    for (const { message_hex, loglevel } of request.messages) client.log(loglevel, bytes(message_hex).toString());
    return {};
  },
  flush: async ({ timeout_ms }) => {
    const flushing = client;
    client = undefined;
    if (flushing === undefined) throw new logflux.LogFluxError('nothing was shipped');
    const delivered = await flushing.flush({ timeout: timeout_ms });
    await flushing.close({ timeout: 0 });
    if (!delivered) throw new logflux.LogFluxError('not everything was delivered');
    return {};
  },
};

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let answer;
    try {
      answer = { ok: await operations[request.op](request) };
    } catch (error) {
      if (!(error instanceof logflux.LogFluxError)) throw error;
      answer = { error: { stage: error.stage, message: error.message } };
    }
    process.stdout.write(`${JSON.stringify({ id: request.id, ...answer })}\n`);
    if (request.op === 'stop') return;
  }
}

main();
