'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { execFileSync } = require('node:child_process');
const { inspect } = require('node:util');


const logflux = require('@logflux/logflux-js-sdk');
const hazmat = require('@logflux/logflux-js-sdk/hazmat');
const { PROGRAM, SECRET, cleanEnvironment } = require('./support.js');

const { Entry, Keyring, Mode, Opener, Sealer, Secret, open, openBytes, openMany, seal } = logflux;

test('what is sealed is opened, here and by the program', () => {
  const entry = seal('User login successful', SECRET, { node: 'app-server-01', level: 'warning', timestamp: new Date(0) });
  assert.equal(open(entry, SECRET), 'User login successful');
  assert.deepEqual([entry.node, entry.loglevel, entry.timestamp, entry.encryption_mode], ['app-server-01', 5, '1970-01-01T00:00:00Z', 1]);
  assert.equal(JSON.stringify(entry), String(entry));
  for (const form of [String(entry), Buffer.from(String(entry)), { ...entry }, JSON.parse(String(entry))]) assert.equal(open(form, new Secret(SECRET)), 'User login successful');
  const opened = execFileSync(PROGRAM, ['open'], { input: `${entry}\n`, env: { ...cleanEnvironment(), LOGFLUX_SECRET: SECRET }, encoding: 'utf8' });
  assert.match(opened, /User login successful/);
  const sealed = execFileSync(PROGRAM, ['seal'], { input: 'by the program\n', env: { ...cleanEnvironment(), LOGFLUX_SECRET: SECRET }, encoding: 'utf8' });
  assert.equal(open(sealed.trim(), SECRET), 'by the program');
  assert.ok(!inspect(entry).includes(entry.payload));
  assert.throws(() => { 'use strict'; entry.node = 'x'; }, TypeError);
});

test('a sealer, an opener and a keyring', async () => {
  const secret = Secret.generate();
  assert.match(secret.expose(), /^[0-9a-f]{64}$/);
  const sealer = new Sealer(secret, { node: 'n', mode: Mode.HKDF });
  const entries = sealer.sealMany(Array.from({ length: 1000 }, (_, i) => `line ${i}`), { level: 8, timestamp: '2026-01-02T03:04:05.678Z' });
  entries.push(new Sealer(SECRET, { node: 'n', keyPolicy: { name: 'bounded', maxEntries: 10, maxAge: '1m' } }).seal(Buffer.from('older')));
  const calls = [];
  const lines = await openMany(entries, new Keyring(secret, { secret: SECRET, since: 0 }), { progress: (done, total) => calls.push([done, total]) });
  assert.equal(lines[999], 'line 999');
  assert.equal(lines[1000], 'older');
  assert.deepEqual(calls.at(-1), [1001, 1001]);
  assert.equal(sealer.stats().unique, 1000);
  const opener = new Opener(secret, { remember: 2, threads: 1 });
  assert.equal(opener.open(entries[0]), 'line 0');
  const bytes = await opener.openMany([sealer.seal(Buffer.from([0xff, 0xfe]))], { bytes: true });
  assert.deepEqual([...bytes[0]], [0xff, 0xfe]);
});

test('openMany leaves the event loop alone, and tells how far it is', async () => {
  const sealer = new Sealer(SECRET, { node: 'n', keyPolicy: 'unique' });
  const entries = Array.from({ length: 12 }, (_, i) => sealer.seal(`line ${i}`));
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 1);
  const calls = [];
  const lines = await openMany(entries, SECRET, { progress: (done) => calls.push(done) });
  clearInterval(timer);
  assert.deepEqual(lines, entries.map((_, i) => `line ${i}`));
  assert.ok(ticks > 3, `${ticks}`);
  assert.deepEqual(calls, [...calls].sort((a, b) => a - b));
});

test('errors say where an entry failed, and which it was', async () => {
  const good = seal('x', SECRET, { node: 'n', mode: 128 });
  const other = seal('y', 'another', { node: 'n', mode: 128 });
  const broken = [
    [() => open(other, SECRET), 'OpenError', 'authentication'],
    [() => open('{}', SECRET), 'EntryError', 'field'],
    [() => open('{', SECRET), 'EntryError', 'json'],
    [() => open({ ...good, salt: 'AAAA' }, SECRET), 'EntryError', 'size'],
    [() => open({ ...good, iv: '*' }, SECRET), 'EntryError', 'base64'],
    [() => open({ ...good, encryption_mode: 9 }, SECRET), 'EntryError', 'mode'],
    [() => open({ ...good, node: 1n }, SECRET), 'EntryError', 'json'],
    [() => open('"\ud800"', SECRET), 'EntryError', 'json'],
    [() => open(null, SECRET), 'EntryError', 'json'],
    [() => open(seal(Buffer.from([0xff]), SECRET, { node: 'n', mode: 128 }), SECRET), 'OpenError', 'utf8'],
    [() => seal('x'.repeat(786_417), SECRET, { node: 'n' }), 'SealError', 'size'],
    [() => seal('\ud800', SECRET, { node: 'n' }), 'SealError', 'utf8'],
    [() => seal('x', SECRET, { node: '' }), 'EntryError', 'field'],
    [() => seal('x', SECRET, { node: 'n', level: 9 }), 'EntryError', 'field'],
    [() => seal('x', SECRET, { node: 'n', mode: 5 }), 'EntryError', 'mode'],
    [() => seal('x', SECRET, { node: 'n', timestamp: new Date(NaN) }), 'EntryError', 'field'],
    [() => seal('x', ' ', { node: 'n' }), 'SecretError', undefined],
    [() => seal('x', 'a\ud800', { node: 'n' }), 'SecretError', undefined],
    [() => seal('x', undefined), 'SecretError', undefined],
    [() => new Sealer(SECRET, { keyPolicy: 'often' }), 'SettingsError', undefined],
    [() => new Sealer(SECRET, { keyPolicy: { budget: 2 } }), 'SettingsError', undefined],
    [() => new Sealer(SECRET, { keyPolicy: { name: 'bounded', maxEntries: 1.5 } }), 'SettingsError', undefined],
    [() => new Opener(SECRET, { threads: 0 }), 'SettingsError', undefined],
    [() => new Keyring(), 'SecretError', undefined],
  ];
  for (const [index, [call, name, stage]] of broken.entries()) {
    assert.throws(call, (error) => {
      assert.ok(error instanceof logflux.LogFluxError && error instanceof Error);
      assert.deepEqual([error.name, error.stage], [name, stage], `${index}: ${error}`);
      return true;
    });
  }
  assert.deepEqual([Entry.parse(good) === good, openBytes(good, SECRET).toString()], [true, 'x']);
  assert.throws(() => Entry.parse({ ...good, node: undefined }), { name: 'EntryError', field: 'node' });
  await assert.rejects(openMany([good, other], SECRET), { name: 'OpenError', index: 1, stage: 'authentication' });
  const results = await openMany([good, '{}', other, null], SECRET, { returnErrors: true });
  assert.deepEqual(results.map((result) => result.index ?? result), ['x', 1, 2, 3]);
});

test('a secret from the environment', () => {
  const before = { ...process.env };
  try {
    assert.throws(() => Secret.fromEnv(), { name: 'SecretError', message: /^no secret: set LOGFLUX_SECRET/ });
    process.env.LOGFLUX_SECRET_COMMAND = 'printf %s "by command"';
    assert.equal(Secret.fromEnv().expose(), 'by command');
    process.env.LOGFLUX_SECRET = 'by text';
    assert.throws(() => Secret.fromEnv(), { name: 'SecretError', message: /^more than one/ });
    delete process.env.LOGFLUX_SECRET_COMMAND;
    assert.equal(Secret.fromEnv().expose(), 'by text');
    process.env.LOGFLUX_SECRET = '';
    assert.throws(() => Secret.fromEnv(), { name: 'SecretError', message: /^secret is empty/ });
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  }
});

test('hazmat seals what the vectors say', () => {
  const given = { salt: Buffer.alloc(32, 7), iv: Buffer.alloc(12, 9), node: 'n', timestamp: '2026-01-02T03:04:05Z', mode: 128 };
  const entry = hazmat.sealWithSaltAndIv('x', SECRET, given);
  assert.equal(String(entry), String(hazmat.sealWithSaltAndIv('x', SECRET, given)));
  assert.equal(open(entry, SECRET), 'x');
  assert.equal(hazmat.deriveKey(SECRET, given.salt).length, 32);
  assert.throws(() => hazmat.deriveKey(SECRET, Buffer.alloc(31)), { name: 'EntryError', field: 'salt' });
});
