'use strict';

/** The package as npm installs it: into an empty folder, without scripts, without a Rust toolchain. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { execFile } = require('node:child_process');
const { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { dirname, join } = require('node:path');
const { promisify } = require('node:util');
const { HERE, RUNTIMES, SECRET, Server, cleanEnvironment, newNode, run: inRuntime } = require('./support.js');

const run = promisify(execFile);
const server = Server.shared();
const PACKED = process.env.LOGFLUX_TEST_PACKED;
const archives = readdirSync(PACKED).map((name) => join(PACKED, name));
const main = archives.find((name) => /sdk-\d/.test(name));
const platform = archives.find((name) => name !== main);
/** Node and npm, and nothing of Rust. */
const PATH = [dirname(process.execPath), '/usr/bin', '/bin'].join(':');

const folders = [];
process.on('exit', () => folders.forEach((path) => rmSync(path, { recursive: true, force: true })));
async function installed(...files) {
  const folder = mkdtempSync(join(tmpdir(), 'logflux-'));
  folders.push(folder);
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--offline', ...files], { cwd: folder, env: { ...cleanEnvironment(), PATH } });
  return folder;
}

test('both archives in an empty folder: CommonJS and ESM, every way in', async () => {
  const folder = await installed(main, platform);
  assert.deepEqual(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.')), ['@logflux']);
  const node = newNode();
  const cjs = `
    const logflux = require('@logflux/logflux-js-sdk');
    (async () => {
      logflux.init('${server.url}', '${node}', '${server.key}', '${SECRET}');
      await logflux.info('from CommonJS');
      if (require('@logflux/logflux-js-sdk').default !== logflux) throw new Error('no default');
      for (const path of ['pino', 'nest', 'opentelemetry', 'hazmat', 'package.json']) require('@logflux/logflux-js-sdk/' + path);
      const { seal, open, Secret } = logflux;
      const secret = Secret.generate();
      if (open(seal('x', secret, { node: 'n', mode: 128 }), secret) !== 'x') throw new Error('not opened');
    })();`;
  const esm = `
    import logflux, { info, LogFluxClient, openMany } from '@logflux/logflux-js-sdk';
    import * as all from '@logflux/logflux-js-sdk';
    import transport, { pino } from '@logflux/logflux-js-sdk/pino';
    import { LogFluxLogger } from '@logflux/logflux-js-sdk/nest';
    import { LogFluxLogRecordExporter } from '@logflux/logflux-js-sdk/opentelemetry';
    import { deriveKey } from '@logflux/logflux-js-sdk/hazmat';
    logflux.init('${server.url}', '${node}', '${server.key}', '${SECRET}');
    info('from ESM');
    const missing = Object.keys(logflux).filter((name) => !(name in all));
    if (missing.length > 0) throw new Error(String(missing));
    if (![LogFluxClient, openMany, transport, pino, LogFluxLogger, LogFluxLogRecordExporter, deriveKey].every((value) => typeof value === 'function')) throw new Error('missing');`;
  for (const [name, code] of [['cjs.cjs', cjs], ['esm.mjs', esm]]) {
    writeFileSync(join(folder, name), code);
    const done = await run(process.execPath, [name], { cwd: folder, env: { ...cleanEnvironment(), PATH, LOGFLUX_CA_FILE: server.ca } });
    assert.deepEqual([done.stdout, done.stderr], ['', '']);
  }
  assert.deepEqual((await server.messages(node)).sort(), ['from CommonJS', 'from ESM']);
});

test('ESM on every runtime, and Deno with no more permissions than it needs', async () => {
  const node = newNode();
  for (const runtime of Object.keys(RUNTIMES)) {
    const done = await inRuntime(
      `import logflux, { info, openMany, seal } from '@logflux/logflux-js-sdk';
       import { pino } from '@logflux/logflux-js-sdk/pino';
       logflux.init({ node: '${node}' });
       info('from ${runtime}');
       pino().write('{"level":30,"msg":"by pino"}\\n');
       const [opened] = await openMany([seal('x', 's', { node: 'n', mode: 128 })], 's', { progress() {} });
       if (opened !== 'x' || !(await logflux.flush())) throw new Error('not opened, or not flushed');`,
      { runtime, name: 'program.mjs', env: server.environment(node), options: [] },
    );
    assert.deepEqual([done.code, done.stderr], [0, ''], runtime);
  }
  assert.equal((await server.messages(node)).length, 6);
});

test('without the package of the platform, the error says which is missing, and what to do', async () => {
  const folder = await installed(main);
  const failed = await run(process.execPath, ['-e', 'require("@logflux/logflux-js-sdk")'], { cwd: folder, env: { ...cleanEnvironment(), PATH } }).catch((error) => error);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /the package @logflux\/logflux-js-sdk-linux-x64-gnu for this platform \(linux-x64-gnu\) is not installed/);
  assert.match(failed.stderr, /1\. .*npm install[\s\S]*2\. .*make node/);
  assert.match(failed.stderr, /LOGFLUX_NO_ADDON/);
  // One that is there and cannot be loaded.
  const broken = join(folder, 'node_modules/@logflux/logflux-js-sdk-linux-x64-gnu');
  mkdirSync(broken);
  writeFileSync(join(broken, 'package.json'), '{"main":"./logflux.node"}');
  writeFileSync(join(broken, 'logflux.node'), 'not an addon');
  const unloadable = await run(process.execPath, ['-e', 'require("@logflux/logflux-js-sdk")'], { cwd: folder, env: { ...cleanEnvironment(), PATH } }).catch((error) => error);
  assert.match(unloadable.stderr, /sdk-linux-x64-gnu for this platform \(linux-x64-gnu\) cannot be loaded: /);
});

test('what is in the packages: no script, no dependency, no more than it may weigh', async () => {
  const manifest = JSON.parse(readFileSync(join(HERE, 'node_modules/@logflux/logflux-js-sdk/package.json'), 'utf8'));
  for (const name of ['scripts', 'dependencies', 'bundledDependencies', 'devDependencies']) assert.equal(manifest[name], undefined);
  assert.deepEqual(manifest.optionalDependencies, { '@logflux/logflux-js-sdk-linux-x64-gnu': manifest.version });
  const own = JSON.parse(readFileSync(join(HERE, 'node_modules/@logflux/logflux-js-sdk-linux-x64-gnu/package.json'), 'utf8'));
  assert.deepEqual([own.version, own.os, own.cpu, own.libc, own.scripts], [manifest.version, ['linux'], ['x64'], ['glibc'], undefined]);
  assert.ok(statSync(platform).size < 6 * 2 ** 20);
  const { stdout } = await run('tar', ['--list', '--gzip', '--file', main]);
  assert.ok(stdout.includes('package/LICENSE-MIT') && stdout.includes('package/README.md') && !stdout.includes('.rs'));
  assert.equal(require('@logflux/logflux-js-sdk').version, manifest.version);
});

test('publint and attw find nothing', async () => {
  const publint = await run(process.execPath, [join(HERE, 'node_modules/publint/src/cli.js'), main, '--strict']);
  assert.match(publint.stdout, /All good!/);
  const attw = await run(process.execPath, [join(HERE, 'node_modules/@arethetypeswrong/cli/dist/index.js'), main, '--no-emoji', '--format', 'ascii'], { env: { ...process.env, NO_COLOR: '1' } });
  assert.match(attw.stdout, /No problems found/);
});

test('the types, under strict, with node16 and bundler resolution', async () => {
  const tsc = join(HERE, 'node_modules/typescript/bin/tsc');
  const project = join(HERE, 'tmp-types');
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project);
  folders.push(project);
  const ts = readFileSync(join(__dirname, 'types.ts'), 'utf8');
  writeFileSync(join(project, 'package.json'), '{"type":"commonjs"}');
  for (const name of ['a.cts', 'b.mts', 'c.ts']) writeFileSync(join(project, name), ts);
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', 'false', '--esModuleInterop', '--target', 'es2022', '--lib', 'es2023,esnext.disposable', '--types', 'node', '--skipLibCheck', 'false'];
  for (const [module, resolution, files] of [['node16', 'node16', ['a.cts', 'b.mts', 'c.ts']], ['esnext', 'bundler', ['b.mts', 'c.ts']]]) {
    const done = await run(process.execPath, [tsc, ...strict, '--module', module, '--moduleResolution', resolution, ...files], { cwd: project }).catch((error) => error);
    const ours = (done.stdout ?? '').split('\n').filter((line) => line !== '' && !/^\.\.\/node_modules\/(?!@logflux)/.test(line));
    assert.deepEqual(ours, [], `${module} ${resolution}`);
  }
});
