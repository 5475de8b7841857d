'use strict';

/**
 * worker_threads and cluster: nothing crashes, and nothing is lost. LOGFLUX_TEST_LONG=1 has
 * more of it, and LOGFLUX_TEST_RUNS says how often.
 */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { RUNTIMES, Server, newNode, run } = require('./support.js');

const server = Server.shared();
const LONG = process.env.LOGFLUX_TEST_LONG === '1';
const WORKERS = LONG ? 200 : 40;
const RUNS = Number(process.env.LOGFLUX_TEST_RUNS ?? (LONG ? 50 : 2));
const ALONE = LONG ? 100 : 8;

const WORKER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const logflux = require('@logflux/logflux-js-sdk');
  if (workerData.init) logflux.init();
  for (let i = 0; i < 20; i += 1) logflux.info('worker ' + workerData.number + ' line ' + i, { i });
  parentPort.postMessage('logged');
  if (workerData.end === 'exit') process.exit(0);
  if (workerData.end === 'close') logflux.close();
  if (workerData.end === 'terminate') setInterval(() => { for (let i = 0; i < 10; i += 1) logflux.debug('worker ' + workerData.number + ' more'); }, 0);
`;

for (const runtime of Object.keys(RUNTIMES)) {
  test(`${runtime}: ${WORKERS} workers end while they log`, { timeout: 1_200_000 }, async () => {
    for (let round = 0; round < (runtime === 'node' ? RUNS : 1); round += 1) {
      const node = newNode();
      const done = await run(
        `const { Worker } = require('node:worker_threads');
         const logflux = require('@logflux/logflux-js-sdk');
         logflux.init({ closeTimeout: '60s', queueSize: 1000000, queueBytes: '1GiB', minLevel: 'debug' });
         const ENDS = ['exit', 'close', 'terminate', 'normal'];
         let next = 0;
         async function one() {
           while (next < ${WORKERS}) {
             const number = next++;
             const worker = new Worker(${JSON.stringify(WORKER)}, { eval: true, workerData: { number, init: number % 2 === 0, end: ENDS[number % 4] } });
             const ended = new Promise((resolve, reject) => { worker.once('exit', resolve); worker.once('error', reject); });
             await new Promise((resolve) => worker.once('message', resolve));
             if (ENDS[number % 4] === 'terminate') await worker.terminate();
             await ended;
           }
         }
         Promise.all([one(), one(), one(), one()]).then(() => {
           logflux.info('main');
           process.on('exit', () => process.stdout.write(JSON.stringify(logflux.stats())));
         });`,
        { runtime, env: { ...server.environment(node), LOGFLUX_QUEUE_SIZE: '1000000', LOGFLUX_QUEUE_BYTES: '1GiB', LOGFLUX_CLOSE_TIMEOUT: '60s', LOGFLUX_MIN_LEVEL: 'debug' }, timeout: 600_000 },
      );
      assert.deepEqual([done.code, done.signal, done.stderr], [0, null, '']);
      const { accepted } = JSON.parse(done.stdout);
      const entries = await server.entries(node);
      const lines = entries.filter(({ loglevel }) => loglevel === 7);
      assert.equal(lines.length, WORKERS * 20 + 1);
      assert.equal(entries.length, accepted);
    }
  });

  test(`${runtime}: a worker alone loads the addon, ${ALONE} times`, async () => {
    const node = newNode();
    const worker = `const logflux = require('@logflux/logflux-js-sdk');
      logflux.init();
      logflux.info('alone');
      process.on('exit', () => logflux.info('at its exit'));`;
    const done = await run(
      `const { Worker } = require('node:worker_threads');
       async function main() {
         for (let i = 0; i < ${ALONE}; i += 1) {
           const worker = new Worker(${JSON.stringify(worker)}, { eval: true });
           await new Promise((resolve, reject) => { worker.once('exit', resolve); worker.once('error', reject); });
         }
       }
       main();`,
      { runtime, env: { ...server.environment(node), LOGFLUX_CLOSE_TIMEOUT: '60s' } },
    );
    assert.deepEqual([done.code, done.signal, done.stderr], [0, null, '']);
    const messages = await server.messages(node);
    assert.equal(messages.filter((message) => message === 'alone').length, ALONE);
    assert.equal(messages.length, ALONE * 2);
  });
}

test('an exit of the process while workers log', async () => {
  const node = newNode();
  const worker = `const logflux = require('@logflux/logflux-js-sdk');
    const { parentPort } = require('node:worker_threads');
    for (let i = 0; i < 100; i += 1) logflux.info('line');
    parentPort.postMessage('logged');
    setInterval(() => {}, 1000);`;
  const done = await run(
    `const { Worker } = require('node:worker_threads');
     const logflux = require('@logflux/logflux-js-sdk');
     logflux.init({ closeTimeout: '60s' });
     let ready = 0;
     for (let i = 0; i < 4; i += 1) new Worker(${JSON.stringify(worker)}, { eval: true }).once('message', () => { if (++ready === 4) process.exit(9); });`,
    { env: server.environment(node) },
  );
  assert.deepEqual([done.code, done.stderr], [9, '']);
  assert.equal((await server.messages(node)).length, 400);
});

test('4 workers of cluster', async () => {
  for (let round = 0; round < RUNS; round += 1) {
    const node = newNode();
    const done = await run(
      `const cluster = require('node:cluster');
       const logflux = require('@logflux/logflux-js-sdk');
       logflux.init({ closeTimeout: '60s' });
       if (cluster.isPrimary) {
         for (let i = 0; i < 4; i += 1) cluster.fork();
         logflux.info('primary');
         cluster.on('exit', (worker) => logflux.info('gone'));
       } else {
         for (let i = 0; i < 100; i += 1) logflux.info('line');
         cluster.worker.id % 2 ? process.exit(0) : cluster.worker.disconnect();
       }`,
      { env: server.environment(node) },
    );
    assert.deepEqual([done.code, done.stderr], [0, '']);
    assert.equal((await server.messages(node)).length, 405);
  }
});

test('a worker ends while entries are opened', async () => {
  const worker = `const { Sealer, openMany } = require('@logflux/logflux-js-sdk');
    const { parentPort } = require('node:worker_threads');
    const sealer = new Sealer('secret', { node: 'n', keyPolicy: 'unique' });
    const entries = Array.from({ length: 4 }, (_, i) => sealer.seal('line ' + i));
    openMany([...entries, ...entries], 'secret', { progress() {} }).then(() => parentPort.postMessage('opened'));
    parentPort.postMessage('began');`;
  const done = await run(
    `const { Worker } = require('node:worker_threads');
     async function main() {
       for (let i = 0; i < 3; i += 1) {
         const worker = new Worker(${JSON.stringify(worker)}, { eval: true });
         await new Promise((resolve) => worker.once('message', resolve));
         await worker.terminate();
       }
     }
     main();`,
  );
  assert.deepEqual([done.code, done.signal, done.stderr], [0, null, '']);
});
