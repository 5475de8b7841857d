'use strict';

/**
 * How a process ends: whatever way it is, the server has every line, nothing hangs, nothing crashes. On
 * Node, Bun and Deno, directly and through pino, winston and Nest's logger. LOGFLUX_TEST_LONG=1 has all of
 * these together.
 */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { ENOUGH, RUNTIMES, Server, folder, newNode, run } = require('./support.js');

const server = Server.shared();
const CLOSE_TIMEOUT = 1500;

/** How each logs: what is set up, and what logs a line. */
const WAYS = {
  direct: `const log = (line) => logflux.info(line);`,
  pino: `const own = require('pino')({}, logflux.pino()); const log = (line) => own.info(line);`,
  winston: `const winston = require('winston'); const own = winston.createLogger({ transports: [logflux.winston()] }); const log = (line) => own.info(line);`,
  nest: `const own = new logflux.LogFluxLogger(); const log = (line) => own.log(line);`,
};

/** How it ends: the code, the lines that it logs then, and the exit status or signal. */
const ENDS = {
  'normal end': { code: '', status: 0 },
  'explicit exit': { code: 'process.exit(3);', status: 3 },
  'exit later': { code: 'setTimeout(() => { log("last"); process.exit(4); }, 5);', more: 1, status: 4 },
  'uncaught error': { code: 'throw new Error("on purpose");', more: 1, status: 1, stderr: /on purpose/ },
  'unhandled rejection': { code: 'Promise.reject(new Error("on purpose"));', more: 1, status: 1, stderr: /on purpose/ },
  SIGTERM: { code: 'setInterval(() => {}, 1000); process.kill(process.pid, "SIGTERM");', status: 'SIGTERM' },
  SIGINT: { code: 'setInterval(() => {}, 1000); process.kill(process.pid, "SIGINT");', status: 'SIGINT' },
  'SIGTERM with a handler': {
    code: 'process.on("SIGTERM", () => { log("bye"); process.exit(5); }); setInterval(() => {}, 1000); process.kill(process.pid, "SIGTERM");',
    more: 1,
    status: 5,
  },
  'SIGTERM with a handler for once': {
    code: 'process.once("SIGTERM", () => setTimeout(() => { log("bye"); process.exit(6); }, 20)); setInterval(() => {}, 1000); process.kill(process.pid, "SIGTERM");',
    more: 1,
    status: 6,
  },
  'a line from the last exit listener': { code: 'process.on("exit", () => log("last")); setImmediate(() => process.exit(7));', more: 1, status: 7 },
};
/** Bun tells `uncaughtExceptionMonitor` of no rejection; the lines before are what counts. */
const UNTOLD = { bun: 'unhandled rejection' };

const SOME = ['normal end', 'explicit exit', 'SIGTERM', 'a line from the last exit listener'];
const LONG = process.env.LOGFLUX_TEST_LONG === '1';
const LINES = 50;
const program = (way, end) => `
  const logflux = require('@logflux/logflux-js-sdk');
  logflux.init({ closeTimeout: '60s' });
  ${WAYS[way]}
  for (let i = 0; i < ${LINES}; i += 1) log('line ' + i);
  ${end}`;

for (const runtime of Object.keys(RUNTIMES)) {
  for (const way of Object.keys(WAYS)) {
    // Everything on Node, and directly; the rest in the long form.
    const every = LONG || runtime === 'node' || way === 'direct';
    const ends = Object.entries(ENDS).filter(([name]) => every || SOME.includes(name));
    test(`${runtime}, ${way}: every end of a process`, { concurrency: 3 }, async (t) => {
      await Promise.all(
        ends.map(([name, { code, status, more = 0, stderr = /^$/ }]) =>
          t.test(name, async () => {
            const node = newNode();
            const done = await run(program(way, code), { runtime, env: server.environment(node) });
            assert.equal(done.signal ?? done.code, status, done.stderr);
            assert.match(done.stderr, stderr);
            const messages = await server.messages(node);
            const told = UNTOLD[runtime] !== name;
            assert.equal(messages.length, LINES + (told ? more : 0), `${name}: ${messages.slice(LINES)}`);
          }),
        ),
      );
    });
  }
}

for (const way of ['direct', 'pino', 'winston']) {
  for (const runtime of Object.keys(RUNTIMES)) {
    test(`${runtime}, ${way}: 10,000 lines and an exit in the same tick`, async () => {
      const node = newNode();
      const code = `
        const logflux = require('@logflux/logflux-js-sdk');
        logflux.init({ closeTimeout: '60s' });
        ${WAYS[way]}
        for (let i = 0; i < 10000; i += 1) log('line ' + i);
        process.exit();`;
      const done = await run(code, { runtime, env: server.environment(node, { LOGFLUX_MODE: '' }) });
      assert.deepEqual([done.code, done.stderr], [0, '']);
      assert.equal((await server.messages(node)).length, 10_000);
    });
  }
}

for (const runtime of Object.keys(RUNTIMES)) {
  test(`${runtime}: a server that is away holds an end up for its time at most, and a spool has every line`, async () => {
    const away = { LOGFLUX_SERVER_URL: 'https://127.0.0.1:1', LOGFLUX_CLOSE_TIMEOUT: `${CLOSE_TIMEOUT}ms` };
    const code = (end) => `
      const logflux = require('@logflux/logflux-js-sdk');
      logflux.init({ onNotice() {} });
      for (let i = 0; i < ${LINES}; i += 1) logflux.info('line ' + i);
      const begun = Date.now();
      process.on('exit', () => process.stdout.write(String(begun)));
      ${end}`;
    const node = newNode();
    const end = 'setImmediate(() => process.exit());';
    const without = await run(code(end), { runtime, env: server.environment(node, away) });
    assert.equal(without.code, 0, without.stderr);
    assert.match(without.stderr, /at the end of the process/);
    // It does not wait twice, in the listener and in the C library.
    assert.ok(without.took < CLOSE_TIMEOUT * 2 + 20_000, `${without.took}`);
    const spoolDir = folder();
    const withSpool = await run(code(end), { runtime, env: server.environment(node, { ...away, LOGFLUX_SPOOL_DIR: spoolDir }) });
    assert.equal(withSpool.code, 0, withSpool.stderr);
    // Another process takes them over.
    const next = await run(
      `const logflux = require('@logflux/logflux-js-sdk');
       logflux.init(); logflux.info('one more');
       const wait = async () => { while (logflux.stats().delivered < ${LINES + 1}) await new Promise((r) => setTimeout(r, 20)); await logflux.close(); };
       wait();`,
      { runtime, env: server.environment(node, { LOGFLUX_SPOOL_DIR: spoolDir }) },
    );
    assert.equal(next.code, 0, next.stderr);
    assert.equal((await server.messages(node)).length, LINES + 1);
  });

  test(`${runtime}: what was flushed into a spool outlives kill -9`, async () => {
    const node = newNode();
    const spoolDir = folder();
    const env = server.environment(node, { LOGFLUX_SPOOL_DIR: spoolDir });
    const killed = await run(
      `const logflux = require('@logflux/logflux-js-sdk');
       logflux.init({ serverUrl: 'https://127.0.0.1:1', onNotice() {} });
       for (let i = 0; i < ${LINES}; i += 1) logflux.info('line ' + i);
       logflux.flush({ timeout: ${ENOUGH} }).then((ok) => { if (ok) process.kill(process.pid, 'SIGKILL'); });
       setInterval(() => {}, 1000);`,
      { runtime, env },
    );
    assert.equal(killed.signal, 'SIGKILL', killed.stderr);
    const next = await run(
      `const logflux = require('@logflux/logflux-js-sdk');
       logflux.init(); logflux.info('one more');
       const wait = async () => { while (logflux.stats().delivered < ${LINES + 1}) await new Promise((r) => setTimeout(r, 20)); await logflux.close(); };
       wait();`,
      { runtime, env },
    );
    assert.equal(next.code, 0, next.stderr);
    assert.equal((await server.messages(node)).length, LINES + 1);
  });
}

test('an application that leaves signals alone may say so', async () => {
  const done = await run(
    `const logflux = require('@logflux/logflux-js-sdk');
     logflux.init({ handleSignals: false, logUncaught: false });
     process.stdout.write(String([process.listenerCount('SIGTERM'), process.listenerCount('SIGINT'), process.listenerCount('uncaughtExceptionMonitor')]));`,
    { env: server.environment(newNode()) },
  );
  assert.equal(done.stdout, '0,0,0');
});

test('two copies of the package in one process do not keep each other from the end', async () => {
  const node = newNode();
  const done = await run(
    `const first = require('@logflux/logflux-js-sdk');
     for (const name of Object.keys(require.cache)) if (!name.endsWith('.node')) delete require.cache[name];
     const second = require('@logflux/logflux-js-sdk');
     if (first === second) throw new Error('one copy');
     first.init(); second.init();
     first.info('first'); second.info('second');
     setInterval(() => {}, 1000);
     process.kill(process.pid, 'SIGTERM');`,
    { env: server.environment(node) },
  );
  assert.deepEqual([done.signal, done.stderr], ['SIGTERM', '']);
  assert.deepEqual(await server.messages(node), ['first', 'second']);
});
