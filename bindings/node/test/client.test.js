'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { inspect } = require('node:util');
const { EventEmitter } = require('node:events');
const logflux = require('@logflux/logflux-js-sdk');
const { SECRET, Server, folder, newNode, run, waitFor } = require('./support.js');

const server = Server.shared();
const LEVELS = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'];

test('the first example runs as it stands', async () => {
  const node = newNode();
  const env = server.environment(node, { LOGFLUX_SECRET: '', LOGFLUX_API_KEY: '', LOGFLUX_SERVER_URL: '', LOGFLUX_NODE: 'another' });
  delete env.LOGFLUX_SECRET;
  const done = await run(
    `(async () => {
      const logflux = require('@logflux/logflux-js-sdk');
      logflux.init('${server.url}', '${node}', '${server.key}', '${SECRET}');
      await logflux.info('User login successful');
    })();`,
    { env },
  );
  assert.deepEqual({ ...done, took: 0 }, { code: 0, signal: null, stdout: '', stderr: '', took: 0 });
  const [entry, ...more] = await server.entries(node);
  assert.equal(more.length, 0);
  assert.equal(entry.message, 'User login successful');
  assert.equal(entry.loglevel, logflux.Level.INFO);
});

test('every level arrives as itself, by a function, by log, and by a method', async () => {
  const node = newNode();
  logflux.init(server.settings(node));
  for (const level of LEVELS) logflux[level](`function ${level}`);
  for (const level of LEVELS) logflux.log(level, `log ${level}`);
  for (const [index] of LEVELS.entries()) logflux.client().log(index + 1, `number ${LEVELS[index]}`);
  for (const level of LEVELS) logflux.client()[level](`method ${level}`);
  assert.equal(await logflux.close(), true);
  const entries = await server.entries(node);
  assert.equal(entries.length, 32);
  for (const { message, loglevel } of entries) assert.equal(message.split(' ')[1], LEVELS[loglevel - 1]);
});

test('fields become one object, and an error its stack', async () => {
  const node = newNode();
  const client = new logflux.LogFluxClient(server.settings(node));
  const error = new TypeError('no such user', { cause: new Error('row is gone') });
  client.info('plain');
  client.info('with fields', { user: 4711, tags: ['a', 'b'], nested: { deep: true, none: undefined }, nothing: null });
  client.error('payment failed', { order: 17, err: error });
  client.error(error);
  client.error('payment failed', error);
  client.info({ user: 1 }, 'as pino has it');
  client.info({ user: 2 });
  client.info(42);
  client.info(undefined);
  client.info(Buffer.from('bytes'));
  client.info('odd', { date: new Date(0), map: new Map([['k', 1n]]), set: new Set([1]), nan: NaN, big: -5n, inf: -Infinity, at: Symbol('s'), re: /x/g, bytes: Buffer.alloc(3), url: new URL('https://a.b/') });
  assert.equal(await client.close(), true);
  const messages = await server.messages(node);
  assert.equal(messages[0], 'plain');
  const parsed = messages.map((message) => (message.startsWith('{') ? JSON.parse(message) : message));
  assert.equal(messages[1], '{"message":"with fields","fields":{"user":4711,"tags":["a","b"],"nested":{"deep":true},"nothing":null}}');
  assert.deepEqual(parsed[2].fields, { order: 17, err: 'TypeError: no such user' });
  assert.match(parsed[2].exception, /^TypeError: no such user\n {4}at [\s\S]*caused by: Error: row is gone\n {4}at /);
  assert.deepEqual([parsed[3].message, parsed[3].exception], ['no such user', parsed[2].exception]);
  assert.deepEqual([parsed[4].message, parsed[4].exception, parsed[4].fields], ['payment failed', parsed[2].exception, undefined]);
  assert.deepEqual(parsed[5], { message: 'as pino has it', fields: { user: 1 } });
  assert.deepEqual(parsed[6], { fields: { user: 2 } });
  assert.deepEqual(messages.slice(7, 10), ['42', 'undefined', 'bytes']);
  assert.deepEqual(parsed[10].fields, {
    date: '1970-01-01T00:00:00.000Z', map: { k: '1' }, set: [1], nan: 'NaN', big: '-5', inf: '-inf', at: 'Symbol(s)', re: '/x/g', bytes: '[Buffer of 3 bytes]', url: 'https://a.b/',
  });
});

test('what is omitted comes from the variables, and what is given before them', async () => {
  const node = newNode();
  const code = (init) => `
    const logflux = require('@logflux/logflux-js-sdk');
    ${init}
    logflux.info('said');
    logflux.close().then((ok) => process.stdout.write(String(ok)));`;
  const runs = [
    ['logflux.init();', node, {}],
    ['logflux.initFromEnv();', node, {}],
    [`logflux.init(undefined, '${node}');`, 'wrong', {}],
    [`logflux.init({ node: '${node}' });`, 'wrong', {}],
    [`logflux.init(null, '${node}', null, process.env.LOGFLUX_SECRET_PROD);`, 'wrong', { LOGFLUX_SECRET_PROD: SECRET, LOGFLUX_SECRET: 'wrong' }],
    [`const own = new logflux.LogFluxClient({ secret: process.env.LOGFLUX_SECRET_PROD }); logflux.info = (m) => own.info(m); logflux.close = () => own.close();`, node, { LOGFLUX_SECRET_PROD: SECRET, LOGFLUX_SECRET: 'wrong' }],
  ];
  const done = await Promise.all(runs.map(([init, name, more]) => run(code(init), { env: server.environment(name, more) })));
  for (const { stdout, stderr } of done) assert.deepEqual([stdout, stderr], ['true', '']);
  assert.equal((await server.messages(node)).length, runs.length);
});

test('a secret of a variable that is not set is an error, and not another secret', () => {
  process.env.LOGFLUX_SECRET = 'of another tenant';
  try {
    for (const settings of [{ secret: undefined }, { apiKey: undefined }]) {
      const [name] = Object.keys(settings);
      assert.throws(() => new logflux.LogFluxClient(server.settings('n', settings)), { name: 'SettingsError', message: new RegExp(`^${name}: is undefined`) });
    }
    // It is not set.
    const { LOGFLUX_SECRET_PROD } = process.env;
    assert.throws(() => logflux.init(server.url, 'n', server.key, LOGFLUX_SECRET_PROD), { name: 'SettingsError', message: /^secret: is undefined/ });
  } finally {
    delete process.env.LOGFLUX_SECRET;
  }
});

test('init once more: the same settings change nothing, with others the new client takes over', async () => {
  const node = newNode();
  const client = logflux.init(server.settings(node));
  assert.equal(logflux.init(server.settings(node)), client);
  client.info('to the first');
  const second = newNode();
  const replacing = logflux.init(server.settings(second));
  assert.notEqual(replacing, client);
  assert.equal(logflux.client(), replacing);
  logflux.info('to the second');
  // The first is closed when it has delivered what it has, and not before.
  for (let pause = 100; !(client.stats().dropped['client closed'] > 0) && pause < 60_000; pause *= 2) {
    await new Promise((resume) => setTimeout(resume, pause));
    if (client.stats().pending === 0) client.debug('the last');
  }
  const { delivered, accepted, dropped } = client.stats();
  assert.ok(dropped['client closed'] > 0 && delivered > 0, inspect(client.stats()));
  assert.equal(accepted, delivered + dropped['client closed']);
  assert.equal((await server.messages(node))[0], 'to the first');
  assert.equal(await logflux.close(), true);
  assert.deepEqual(await server.messages(second), ['to the second']);
});

test('a client that was replaced is flushed at the end of the process', async () => {
  const [first, second] = [newNode(), newNode()];
  const code = `
    const logflux = require('@logflux/logflux-js-sdk');
    logflux.init({ node: '${first}' });
    logflux.info('to the first');
    logflux.init({ node: '${second}' });
    logflux.info('to the second');`;
  const done = await run(code, { env: server.environment(first) });
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual(await server.messages(first), ['to the first']);
  assert.deepEqual(await server.messages(second), ['to the second']);
});

test('a closed client stays closed, and tells what became of its messages', async () => {
  const node = newNode();
  const client = logflux.init(server.settings(node));
  logflux.info('one');
  assert.equal(await logflux.close(), true);
  assert.equal(logflux.client(), undefined);
  assert.equal(logflux.stats().delivered, 1);
  assert.equal(await logflux.close(), true);
  logflux.info('goes nowhere');
  const other = logflux.init(server.settings(newNode()));
  assert.notEqual(other, client);
  assert.equal(logflux.closeSync(), true);
  assert.deepEqual(await server.messages(node), ['one']);
});

test('clients with the same settings share one, and closing one does not end the other', async () => {
  const node = newNode();
  const [one, two] = [0, 1].map(() => new logflux.LogFluxClient(server.settings(node)));
  one.info('one');
  assert.equal(await one.close(), true);
  two.info('two');
  assert.equal(two.stats().accepted, 2);
  assert.equal(await two.close(), true);
  two.info('late');
  assert.deepEqual(two.stats().dropped, { 'client closed': 1 });
  assert.deepEqual(await server.messages(node), ['one', 'two']);
});

test('objects that are gone leave the client to the others', async () => {
  const node = newNode();
  const keep = new logflux.LogFluxClient(server.settings(node));
  for (let round = 0; round < 3; round += 1) {
    (() => {
      const closed = new logflux.LogFluxClient(server.settings(node));
      closed.info('from one that is closed');
      assert.equal(closed.closeSync(), true);
      new logflux.LogFluxClient(server.settings(node)).info('from one that is not');
    })();
    gc();
    await new Promise((resume) => setTimeout(resume, 20));
    gc();
  }
  keep.info('kept');
  assert.equal(keep.stats().accepted, 7);
  assert.equal(await keep.close(), true);
  assert.equal(keep.stats().delivered, 7);
  assert.equal((await server.messages(node)).length, 7);
});

test('flush tells the truth, and stats add up', async () => {
  const node = newNode();
  const client = new logflux.LogFluxClient(server.settings(node));
  for (let i = 0; i < 100; i += 1) client.info(`line ${i}`, { i });
  assert.equal(await client.flush({ timeout: '30s' }), true);
  assert.deepEqual(client.lastFlush, { dropped: 0, left: 0 });
  const { accepted, delivered, dropped, pending, spooled } = client.stats();
  assert.deepEqual({ accepted, delivered, dropped, pending, spooled }, { accepted: 100, delivered: 100, dropped: {}, pending: 0, spooled: 0 });
  client.info('x'.repeat(800_000));
  assert.equal(await client.flush(), false);
  assert.deepEqual(client.stats().dropped, { 'too long': 1 });
  assert.deepEqual(client.lastFlush, { dropped: 1, left: 0 });
  assert.equal(client.flushSync(), false);
  assert.equal(client.closeSync(), false);
  const away = new logflux.LogFluxClient(server.settings(newNode(), { serverUrl: 'https://127.0.0.1:1', onDrop() {} }));
  away.info('lost');
  assert.equal(await away.flush({ timeout: 50 }), false);
  assert.deepEqual(away.lastFlush, { dropped: 0, left: 1 });
  assert.equal(await away.close({ timeout: 0 }), false);
  assert.equal(away.lastFlush.dropped, 1);
});

test('drops and notices are told of on the event loop', async () => {
  /** @type {Record<string, number>[]} */
  const drops = [];
  const notices = [];
  const client = new logflux.LogFluxClient(server.settings(newNode(), { onDrop: (dropped) => drops.push(dropped), onNotice: (sentence) => notices.push(sentence), apiKey: `lf_${'x'.repeat(32)}` }));
  client.info('x'.repeat(800_000));
  client.info('a key that is none');
  await waitFor(() => drops.length > 0 && notices.some((sentence) => sentence.includes('key')));
  assert.deepEqual(drops, [{ 'too long': 1 }]);
  assert.equal(await client.close({ timeout: 10 }), false);
  assert.deepEqual(drops.at(-1), { 'client closed': 1 });
});

test('nothing of LogFlux keeps a process alive, and nothing shows among its resources', async () => {
  const done = await run(
    `const logflux = require('@logflux/logflux-js-sdk');
     const client = logflux.init({ onDrop() {} });
     logflux.info('one');
     process.stdout.write(JSON.stringify(process.getActiveResourcesInfo()));`,
    { env: server.environment(newNode()) },
  );
  assert.deepEqual([done.code, done.stderr], [0, '']);
  assert.deepEqual(JSON.parse(done.stdout).filter((name) => !name.includes('Wrap') && name !== 'CloseReq'), []);
  const loaded = await run(`require('@logflux/logflux-js-sdk')`);
  assert.deepEqual([loaded.code, loaded.stdout, loaded.stderr], [0, '', '']);
});

test('a secret or a key is in no error, no inspection and no JSON', () => {
  const key = `lf_${'K'.repeat(32)}`;
  const secret = 'hunter2-hunter2';
  const settings = server.settings('n', { apiKey: key, secret });
  const client = new logflux.LogFluxClient(settings);
  const held = new logflux.Secret(secret);
  const keyring = new logflux.Keyring(held, { secret, since: new Date() });
  const shown = [client, held, keyring, new logflux.Sealer(held), new logflux.Opener(keyring), { ...logflux }].flatMap((value) => {
    const emitter = Object.assign(new EventEmitter(), { value });
    return [inspect(value, { depth: 20, showHidden: true }), JSON.stringify(value) ?? '', String(value), inspect(emitter), inspect({ ...value })];
  });
  const wrong = [{ apiKey: `${key}!` }, { secret: ' ' }, { serverUrl: `http://${key}` }, { proxy: `ftp://u:${secret}@h` }, { caFile: '/no/such' }, { node: `${secret}\n` }, { mode: secret }, { keyPolicy: secret }, { queueSize: secret }, { [secret]: 1 }];
  for (const settings of wrong.slice(0, -1)) {
    try {
      new logflux.LogFluxClient(server.settings('n', settings));
      assert.fail(`${Object.keys(settings)} was taken`);
    } catch (error) {
      assert.ok(error instanceof logflux.LogFluxError, String(error));
      shown.push(inspect(error), JSON.stringify(error), String(error));
    }
  }
  for (const text of shown) assert.ok(!text.includes(key) && !text.includes('hunter2'), text);
  assert.equal(held.expose(), secret);
  assert.equal(client.closeSync(), true);
});

test('rotation goes on with another key, secret or CA file, or replaces nothing', async () => {
  const node = newNode();
  const client = new logflux.LogFluxClient(server.settings(node, { apiKey: `lf_${'x'.repeat(32)}`, onNotice() {} }));
  client.info('waits for the key');
  assert.equal(await client.flush({ timeout: 300 }), false);
  assert.throws(() => client.rotate({ caFile: '/no/such' }), { name: 'SettingsError', message: /^caFile: / });
  assert.throws(() => client.rotate({ apiKey: 'lf_short' }), { name: 'SettingsError', message: /^apiKey: / });
  assert.throws(() => client.rotate({ secret: undefined }), { name: 'SettingsError', message: /^secret: / });
  assert.throws(() => client.rotate({ node: 'x' }), { name: 'SettingsError', message: /^node: / });
  assert.throws(() => client.rotate({}), { name: 'SettingsError' });
  client.rotate({ apiKey: server.key, caFile: server.ca });
  assert.equal(await client.flush({ timeout: '60s' }), true);
  client.rotate({ secret: new logflux.Secret(SECRET) });
  client.info('under the new secret');
  assert.equal(await client.close(), true);
  assert.deepEqual(await server.messages(node), ['waits for the key', 'under the new secret']);
  assert.throws(() => logflux.rotate({ apiKey: server.key }), { name: 'LogFluxError', message: /not initialised/ });
});

test('lines reach the server while the event loop is blocked', async () => {
  const node = newNode();
  const client = new logflux.LogFluxClient(server.settings(node, { flushInterval: 10 }));
  client.info('before');
  const begun = Date.now();
  let delivered = 0;
  while (delivered === 0 && Date.now() - begun < 60_000) ({ delivered } = client.stats());
  assert.equal(delivered, 1);
  assert.equal(client.closeSync(), true);
});

test('a spool keeps what the server does not take, for the next process', async () => {
  const node = newNode();
  const spoolDir = folder();
  const away = new logflux.LogFluxClient(server.settings(node, { serverUrl: 'https://127.0.0.1:1', spoolDir, onNotice() {} }));
  for (let i = 0; i < 10; i += 1) away.info(`line ${i}`);
  assert.equal(await away.flush(), true);
  assert.equal(away.stats().spooled, 10);
  assert.equal(await away.close({ timeout: 100 }), true);
  const back = new logflux.LogFluxClient(server.settings(node, { spoolDir }));
  back.info('line 10');
  await waitFor(async () => (await server.messages(node)).length === 11);
  assert.equal(await back.close(), true);
});
