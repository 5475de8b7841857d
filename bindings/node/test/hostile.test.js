'use strict';

/** Whatever is logged: no call throws, none takes long, and what can be had arrives. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { cleanEnvironment, Server, newNode, run } = require('./support.js');
const logflux = require('@logflux/logflux-js-sdk');

const server = Server.shared();
const VALUES = 1000;

/** A generator of numbers that are the same in every run. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const boom = () => {
  throw new Error('boom');
};
const cycle = { name: 'cycle' };
cycle.self = cycle;
cycle.list = [cycle];
/** 2^40 paths lead through it. */
let lattice = ['end'];
for (let i = 0; i < 40; i += 1) lattice = [lattice, lattice];
let deep = {};
for (let i = 0; i < 50_000; i += 1) deep = { deep };
const endless = { get next() { return Object.create(this); } };
Object.defineProperty(endless, 'next', { enumerable: true });
const LONG = 'x'.repeat(10_000_000);

/** Makes one hostile value. */
const MAKERS = [
  () => ({ get a() { return boom(); }, b: 1 }),
  () => new Proxy({}, { get: boom, ownKeys: boom, has: boom, getPrototypeOf: boom, getOwnPropertyDescriptor: boom }),
  () => new Proxy({}, { ownKeys: () => Array.from({ length: 50 }, (_, i) => `k${i}`), getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }), get: (_t, key) => (typeof key === 'string' && key.startsWith('k') ? new Proxy({}, {}) : undefined) }),
  () => new Proxy(() => {}, { get: boom, apply: boom }),
  () => new Proxy([], { get: boom }),
  () => Proxy.revocable({}, {}),
  () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; },
  () => cycle,
  () => [cycle, cycle],
  () => lattice,
  () => deep,
  () => endless,
  () => 10n ** 20n,
  () => 1n << 5_000_000n,
  () => ({ big: [1n, -(1n << 200n)] }),
  () => Symbol('s'),
  () => ({ [Symbol('key')]: 1, s: Symbol.iterator }),
  () => 'half \ud800 a pair',
  () => '\udc00',
  () => ({ '\ud800': '\udfff\ud800' }),
  () => 'literal \\ud800 and \ud83d\ude00',
  () => LONG,
  () => ({ LONG, list: [LONG, LONG] }),
  () => new Array(4_294_967_295),
  () => Array.from({ length: 100_000 }, (_, i) => i),
  () => ({ toJSON: boom }),
  () => ({ toJSON() { return this; } }),
  () => ({ toJSON() { return { toJSON: this.toJSON }; } }),
  () => ({ toString: boom, valueOf: boom, [Symbol.toPrimitive]: boom }),
  () => Object.create(null),
  () => new Map([[{}, cycle], [Symbol('m'), 1n]]),
  () => new Set([lattice]),
  () => new WeakMap(),
  () => new Date(NaN),
  () => new Error(LONG),
  () => Object.assign(new Error('e'), { cause: cycle }),
  () => { const error = new Error('own cause'); error.cause = error; return error; },
  () => Object.defineProperty(new Error('e'), 'stack', { get: boom }),
  () => Object.defineProperties(Object.defineProperty(new Error('e'), 'stack', { value: 1, configurable: true }), { message: { get: boom }, stack: { get: boom }, name: { get: boom } }),
  () => new AggregateError([new Error('a')], 'many'),
  () => Buffer.alloc(10_000_000),
  () => new SharedArrayBuffer(8),
  () => ({ __proto__: { inherited: 1 }, own: 1 }),
  () => JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}'),
  () => NaN,
  () => -0,
  () => null,
  () => undefined,
  () => '',
  () => '\0\u0001\u2028\u2029"\\',
  () => function named() {},
  () => class {},
  () => Promise.reject(new Error('nobody waits')).catch(() => {}),
  () => globalThis,
  () => process,
  () => new (class { get [Symbol.toStringTag]() { return boom(); } })(),
  () => Object.setPrototypeOf({ a: 1 }, new Proxy({}, { get: boom, has: boom })),
  () => new Proxy(new Map([[1, 2]]), {}),
  () => ({ *[Symbol.iterator]() { for (;;) yield 1; } }),
  () => { class Endless extends Set { *[Symbol.iterator]() { for (;;) yield 1; } } return new Endless(); },
  () => Object.defineProperty(new Uint8Array(4), 'constructor', { get: boom }),
];

function value(next, depth = 0) {
  const kind = next(MAKERS.length + 2);
  if (kind < MAKERS.length || depth > 3) return MAKERS[kind % MAKERS.length]();
  const parts = Array.from({ length: next(4) }, () => value(next, depth + 1));
  return kind === MAKERS.length ? parts : Object.fromEntries(parts.map((part, i) => [`k${i}`, part]));
}

test(`${VALUES} hostile values`, { timeout: 600_000 }, async () => {
  const node = newNode();
  const dropped = {};
  const client = new logflux.LogFluxClient(server.settings(node, { queueBytes: '2GiB', queueSize: 1_000_000, onDrop() {}, closeTimeout: '5m' }));
  const silent = { log() {}, info() {}, warn() {}, error() {}, debug() {}, trace() {} };
  const undo = logflux.captureConsole({ client, console: silent });
  const nest = new logflux.LogFluxLogger({ client });
  const exporter = new logflux.LogFluxLogRecordExporter({ client });
  const winston = logflux.winston({ client });
  const pino = require('pino')({}, logflux.pino({ client }));
  const ways = [
    (a, b) => client.info(a, b),
    (a, b) => client.error(b, a),
    (a) => client.log(a, a),
    (a, b) => silent.log(a, b),
    (a, b) => nest.error(a, b, 'Context'),
    (a, b) => exporter.export([{ body: a, attributes: b, severityNumber: 9 }, a], () => {}),
    (a, b) => winston.log({ level: 'info', message: a, b }, () => {}),
    (a) => client.info('in a context', undefined, logflux.withContext({ a }, () => client.info('within'))),
  ];
  const next = random(20261126);
  let slowest = 0;
  let slow = "";
  for (let i = 0; i < VALUES; i += 1) {
    const [a, b] = [value(next), value(next)];
    const begun = performance.now();
    assert.doesNotThrow(() => ways[i % ways.length](a, b), `${i}`);
    const took = performance.now() - begun;
    if (took > slowest) [slowest, slow] = [took, `${i}, way ${i % ways.length}`];
  }
  // pino's own serializer is what bounds it there.
  for (const wild of [cycle, 'half \ud800', 1n, new Error('e')]) assert.doesNotThrow(() => pino.info(wild));
  // A bound that a busy machine keeps: a lattice of 2^40 paths would take days.
  assert.ok(slowest < 60_000, `${slow}: ${slowest} ms`);
  undo();
  if (process.env.LOGFLUX_TEST_VERBOSE) console.error(`the slowest took ${slowest} ms: ${slow}`);
  client.info('the last');
  await client.close({ timeout: '5m' });
  const { accepted, delivered, dropped: lost } = client.stats();
  Object.assign(dropped, lost);
  assert.deepEqual(Object.keys(dropped).filter((reason) => reason !== 'too long'), []);
  assert.equal(accepted, delivered + (dropped['too long'] ?? 0));
  const messages = await server.messages(node);
  assert.equal(messages.length, delivered);
  assert.ok(messages.includes('the last'));
  for (const message of messages) {
    assert.ok(message.isWellFormed());
    if (!message.startsWith('{"')) continue;
    const { message: text, target, fields, exception, ...more } = JSON.parse(message);
    assert.deepEqual(more, {});
    assert.ok(!JSON.stringify([text, target, fields, exception]).replaceAll('\\\\', '').includes('\\ud8'));
  }
  assert.equal({}.polluted, undefined);
});

test('half a surrogate pair is U+FFFD, and a whole one stays', async () => {
  const node = newNode();
  for (const runtime of ['node', 'bun', 'deno']) {
    const done = await run(
      `const logflux = require('@logflux/logflux-js-sdk');
       logflux.init();
       logflux.info('a \\ud800 b \\ud83d\\ude00 \\0 é');
       logflux.info('m \\udc00', { '\\ud801': 'literal \\\\ud800 \\ud83d\\ude00 \\ud800' });`,
      { runtime, env: server.environment(node) },
    );
    assert.deepEqual([done.code, done.stderr], [0, '']);
  }
  const expected = ['a \ufffd b \u{1f600} \0 é', `{"message":"m \ufffd","fields":{"\ufffd":"literal \\\\ud800 \u{1f600} \ufffd"}}`];
  const fixed = (await server.messages(node)).map((message) => message.replaceAll(/\ufffd+/g, '\ufffd'));
  assert.deepEqual(fixed, [...expected, ...expected, ...expected]);
});

test('a logging call where the stack has no room left', async () => {
  const node = newNode();
  const client = new logflux.LogFluxClient(server.settings(node, { onDrop() {}, queueSize: 1_000_000 }));
  let deepest = 0;
  const recurse = (depth) => {
    deepest = depth;
    client.info('deep', { depth });
    recurse(depth + 1);
  };
  assert.throws(() => recurse(0), RangeError);
  assert.ok(deepest > 100);
  client.info('after');
  assert.equal(await client.close({ timeout: '60s' }), true);
  assert.ok((await server.messages(node)).includes('after'));
});

test('memory does not grow', { timeout: 600_000 }, async () => {
  const CALLS = process.env.LOGFLUX_TEST_LONG === '1' ? 10_000_000 : 1_000_000;
  const done = await run(
    `const logflux = require('@logflux/logflux-js-sdk');
     // What does not fit is dropped: nothing may stay of it either.
     const client = new logflux.LogFluxClient({ serverUrl: 'https://127.0.0.1:1', apiKey: 'lf_' + 'a'.repeat(32), secret: 's', mode: 128, onDrop() {}, closeTimeout: 0 });
     const line = 'x'.repeat(256);
     const calls = (count) => { for (let i = 0; i < count; i += 1) { client.info(line); if (i % 10 === 0) client.info('m', { i }); } };
     const settled = () => { gc(); gc(); return process.memoryUsage.rss(); };
     calls(1_500_000);
     const before = settled();
     calls(${CALLS});
     process.stdout.write(String(settled() - before));
     client.closeSync(0);`,
    { options: ['--expose-gc', '--max-semi-space-size=4'], env: cleanEnvironment(), timeout: 600_000 },
  );
  assert.deepEqual([done.code, done.stderr], [0, '']);
  assert.ok(Number(done.stdout) < 8 * 2 ** 20, `${done.stdout} bytes`);
});
