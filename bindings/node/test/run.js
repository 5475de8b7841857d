'use strict';

/** Runs the tests of this folder, or those that are named, with one server for all of them. */

const { spawn } = require('node:child_process');
const { readdirSync } = require('node:fs');
const { join } = require('node:path');
const { Server } = require('./support.js');

async function main() {
  const server = await Server.start();
  const named = process.argv.slice(2).filter((name) => !name.startsWith('-'));
  const options = process.argv.slice(2).filter((name) => name.startsWith('-'));
  const files = readdirSync(__dirname).filter((name) => name.endsWith('.test.js') && (named.length === 0 || named.some((part) => name.includes(part))));
  const tests = spawn(
    process.execPath,
    ['--expose-gc', '--test', '--test-concurrency=2', '--test-reporter', join(__dirname, 'reporter.mjs'), ...options, ...files.map((name) => join(__dirname, name))],
    { stdio: 'inherit', env: { ...process.env, LOGFLUX_TEST_URL: server.url, LOGFLUX_TEST_KEY: server.key, LOGFLUX_TEST_DATA: server.data } },
  );
  tests.once('close', async (code) => {
    await server.stop();
    process.exitCode = code ?? 1;
  });
}

main();
