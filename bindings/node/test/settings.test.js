'use strict';

/**
 * Every bound of every setting, and one value beyond it. LOGFLUX_UPDATE_SETTINGS names the root of the
 * repository to write the tables of the documents anew.
 */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const logflux = require('@logflux/logflux-js-sdk');
const { HERE } = require('./support.js');

const native = require(join(HERE, 'node_modules/@logflux/logflux-js-sdk/lib/native.js'));
const TABLE = native.settings();
const GIVEN = { serverUrl: 'https://127.0.0.1:1', node: 'n', apiKey: `lf_${'a'.repeat(32)}`, secret: 's' };
/** So that each of the two may have any value that it may have alone. */
const DELAYS = { initialDelay: 1, maxDelay: '24h' };

const root = process.env.LOGFLUX_UPDATE_SETTINGS;

const close = (client) => assert.equal(client.closeSync(0), true);

test('a bound is taken, and one value beyond it is an error that names the setting', () => {
  let checked = 0;
  for (const { name, kind, min, max, words, values } of TABLE) {
    const good = kind === 'choice' ? words : kind === 'text' ? [] : [min, max];
    const bad = { number: [max + 1, min - 1, 2 ** 64, -(2 ** 70), 1.5, NaN], factor: [max + 1e-9, min - 1e-9, NaN, Infinity], duration: [max + 1, Infinity, NaN, -1], choice: ['hunter2', 7, []], text: [] }[kind];
    for (const value of good) close(new logflux.LogFluxClient({ ...GIVEN, ...DELAYS, [name]: value }));
    for (const value of bad) {
      assert.throws(() => new logflux.LogFluxClient({ ...GIVEN, ...DELAYS, [name]: value }), (error) => {
        assert.ok(error instanceof logflux.SettingsError);
        assert.ok(error.message.startsWith(`${name}: must be ${values}`), `${value}: ${error.message}`);
        return true;
      });
      checked += 1;
    }
  }
  assert.ok(checked > 60, `${checked}`);
});

test('a wrong setting is an error with its name', () => {
  const wrong = {
    serverUrl: ['', 'http://a', 'https://', 7, {}], apiKey: ['', 'lf_your_api_key', 7], node: ['', '\n', 'x'.repeat(256), 7, '\ud800'], caFile: ['/no/such', '', {}], mode: [5, 'AES', {}], minLevel: [0, 9, 'loud', {}],
    proxy: ['ftp://h', 7], keyPolicy: ['often', { budget: 2 }, { name: 'bounded', maxEntries: 0 }, { often: 1 }, { budget: '1' }], spoolDir: ['/dev/null/spool', ''], queueSize: ['many', {}, null, true], flushInterval: ['soon', {}], whenFull: ['explode'],
    onDrop: ['x'], onNotice: [{}], server_url: ['https://a'], handleSignals: [true],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      assert.throws(() => new logflux.LogFluxClient({ ...GIVEN, [name]: value }), (error) => {
        assert.ok(error instanceof logflux.SettingsError, `${name}: ${error}`);
        assert.ok(error.message.startsWith(name === 'minLevel' ? 'min' : name), `${name} ${value}: ${error.message}`);
        return true;
      });
    }
  }
  for (const settings of [null, [], 'https://a', 7]) assert.throws(() => new logflux.LogFluxClient(settings), { name: 'SettingsError', message: /^settings: / });
  assert.throws(() => new logflux.LogFluxClient({ ...GIVEN, secret: 7 }), { name: 'SecretError' });
  assert.throws(() => new logflux.LogFluxClient({ ...GIVEN, maxDelay: 100 }), { name: 'SettingsError', message: 'initialDelay: must be at most maxDelay, the longest pause' });
  for (const timeout of ['soon', -1, NaN, {}]) {
    const client = new logflux.LogFluxClient(GIVEN);
    assert.throws(() => client.flushSync(timeout), { name: 'SettingsError', message: /^timeout: / });
    close(client);
  }
});

test('a variable that is wrong or missing is named', () => {
  const clear = () => Object.keys(process.env).filter((name) => name.startsWith('LOGFLUX_') && !name.startsWith('LOGFLUX_TEST')).forEach((name) => delete process.env[name]);
  clear();
  assert.throws(() => new logflux.LogFluxClient(), { name: 'SettingsError', message: 'serverUrl is not set: give it, or set LOGFLUX_SERVER_URL' });
  assert.throws(() => logflux.initFromEnv({ serverUrl: GIVEN.serverUrl }), { name: 'SettingsError', message: 'apiKey is not set: give it, or set LOGFLUX_API_KEY' });
  const { secret, ...others } = GIVEN;
  assert.throws(() => new logflux.LogFluxClient(others), { name: 'SecretError', message: /^no secret: set LOGFLUX_SECRET/ });
  for (const { variable, kind, values, max } of TABLE) {
    if (!variable || kind === 'text') continue;
    process.env[variable] = { duration: '9999d', number: String(max + 1) }[kind] ?? 'hunter2';
    assert.throws(() => new logflux.LogFluxClient(GIVEN), { name: 'SettingsError', message: `${variable}: must be ${values}` });
    process.env[variable] = '';
    close(new logflux.LogFluxClient(GIVEN));
    delete process.env[variable];
  }
  // What is given comes before the variable.
  process.env.LOGFLUX_MIN_LEVEL = 'error';
  assert.equal(new logflux.LogFluxClient(GIVEN).isEnabled('warning'), false);
  assert.equal(new logflux.LogFluxClient({ ...GIVEN, minLevel: 'warning' }).isEnabled('warning'), true);
  clear();
});

test('the documents and the types name every setting', () => {
  const rows = TABLE.map(({ name, values, default: usual, about }) => {
    const [what, otherwise] = name === 'keyPolicy' ? ['`"unique"`, `"adaptive"`, `"bounded"`, or `{ name, budget, maxEntries, maxAge }`', '`"adaptive"`'] : [values, usual ?? 'needed'];
    return `| \`${name}\` | ${what} | ${otherwise} | ${about} |\n`;
  });
  const table = `| setting | it is | default | |\n|---|---|---|---|\n${rows.join('')}`;
  const TYPES = { node: 'string | null', secret: 'SecretLike', caFile: 'string | URL', spoolDir: 'string | URL', keyPolicy: 'KeyPolicy', mode: 'ModeLike | string', minLevel: 'LevelLike' };
  const types = TABLE.map(({ name, kind, values, default: usual, about, words }) => {
    const type = TYPES[name] ?? { number: values.startsWith('a size') ? 'number | string' : 'number', factor: 'number', duration: 'Duration', choice: words?.map((word) => `'${word}'`).join(' | '), text: 'string' }[kind];
    return `  /** ${about}: ${values}; ${usual === undefined ? 'needed' : `${usual} by default`}. */\n  ${name}?: ${type};\n`;
  });
  const parts = [
    ['docs/node.md', '<!-- settings: begin -->\n', '<!-- settings: end -->', table],
    ['bindings/node/index.d.ts', '  // settings: begin\n', '  // settings: end', types.join('')],
  ];
  for (const [file, begin, end, part] of parts) {
    const path = join(root ?? process.env.LOGFLUX_TEST_ROOT, file);
    const text = readFileSync(path, 'utf8');
    const [before, rest] = text.split(begin);
    assert.ok(rest !== undefined, `${file}: no ${begin}`);
    const [there, after] = rest.split(end);
    if (root === undefined) assert.equal(there, part, `${file}: LOGFLUX_UPDATE_SETTINGS=$PWD bindings/node/test.sh settings`);
    else writeFileSync(path, `${before}${begin}${part}${end}${after}`);
  }
});
