'use strict';

/**
 * What a logging call costs, beside the same line by pino and winston to /dev/null, in one run. It prints
 * the lines of the table in `docs/node.md`. No server is needed. It runs in a folder that has the package.
 */

const { execFileSync } = require('node:child_process');
const { createRequire } = require('node:module');
const { createWriteStream } = require('node:fs');
const { join } = require('node:path');

const here = createRequire(join(process.cwd(), 'package.json'));
const logflux = here('@logflux/logflux-js-sdk');
const pino = here('pino');
const winston = here('winston');

const MESSAGE = 'x'.repeat(256);
const CALLS = 200_000;
const BATCH = 100;

const row = (what, value) => console.log(`| ${what} | ${value} |`);
const quantile = (sorted, part) => sorted[Math.floor(sorted.length * part)];

/** Lets streams write, which else would only gather. */
const pause = () => new Promise((resume) => setImmediate(resume));

/** Nanoseconds a call: the median and the 99th percentile of batches of calls. */
async function costs(call) {
  for (let i = 0; i < 20_000; i += 1) call(MESSAGE);
  const times = [];
  for (let done = 0; done < CALLS; done += BATCH) {
    const begun = process.hrtime.bigint();
    for (let i = 0; i < BATCH; i += 1) call(MESSAGE);
    times.push(Number(process.hrtime.bigint() - begun) / BATCH);
    if (done % 5_000 === 0) await pause();
  }
  times.sort((a, b) => a - b);
  return `${quantile(times, 0.5).toFixed(0)} ns, ${quantile(times, 0.99).toFixed(0)} ns`;
}

function client(settings) {
  return new logflux.LogFluxClient({
    serverUrl: 'https://127.0.0.1:1', apiKey: `lf_${'a'.repeat(32)}`, secret: 's', node: 'n', mode: 128,
    queueSize: 10_000_000, queueBytes: '2GiB', closeTimeout: 0, onDrop() {}, ...settings,
  });
}

async function main() {
  const code = 'const b = process.hrtime.bigint(); require("@logflux/logflux-js-sdk"); console.log(Number(process.hrtime.bigint() - b) / 1e6)';
  const imports = Array.from({ length: 20 }, () => Number(execFileSync(process.execPath, ['-e', code]))).sort((a, b) => a - b);
  // What the machine was busy with otherwise is not counted.
  row('`require("@logflux/logflux-js-sdk")`', `${quantile(imports, 0.25).toFixed(1)} ms`);
  const null_ = () => createWriteStream('/dev/null');
  const taking = client();
  row('`client.info`, 256 B', await costs((line) => taking.info(line)));
  row('the same with an object of two fields', await costs((line) => taking.info(line, { user: 4711, ok: true })));
  const filtered = client({ minLevel: 'warning' });
  row('the same, of a level that is not logged', await costs((line) => filtered.info(line)));
  const sync = pino(pino.destination({ dest: '/dev/null', sync: true }));
  row('pino to /dev/null, `sync`', await costs((line) => sync.info(line)));
  const buffered = pino(pino.destination({ dest: '/dev/null', sync: false, minLength: 4096 }));
  row('pino to /dev/null, not `sync`, 4 KiB at a time', await costs((line) => buffered.info(line)));
  const own = pino({}, logflux.pino({ client: taking }));
  row('pino to LogFlux', await costs((line) => own.info(line)));
  const stream = winston.createLogger({ transports: [new winston.transports.Stream({ stream: null_() })] });
  row('winston to /dev/null', await costs((line) => stream.info(line)));
  const transport = winston.createLogger({ transports: [logflux.winston({ client: taking })] });
  row('winston to LogFlux', await costs((line) => transport.info(line)));
  taking.closeSync(0);
}

main();
