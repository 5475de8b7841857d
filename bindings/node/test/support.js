'use strict';

/**
 * What the tests share: a real ingest server, `logflux serve`, whose entries are read back by `logflux
 * query`. Every test has a node of its own, so that it finds its own messages.
 */

const { execFile, execFileSync, spawn } = require('node:child_process');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const { promisify } = require('node:util');
const readline = require('node:readline');

const SECRET = 'correct horse battery staple';
/** How long anything may take; no test is about that time. */
const ENOUGH = 60_000;
const PROGRAM = process.env.LOGFLUX_PROGRAM;
/** Where the package is installed. */
const HERE = process.cwd();
const MODE = 128;

/** The environment with nothing of ours in it. */
function cleanEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LOGFLUX_') && !name.startsWith('NODE_TEST')));
}

class Server {
  /** The server of all tests that leave it alone. */
  static shared() {
    const { LOGFLUX_TEST_URL: url, LOGFLUX_TEST_KEY: key, LOGFLUX_TEST_DATA: data } = process.env;
    return Object.assign(new Server(), { url, key, data });
  }

  /** A server of one's own. */
  static async start(listen = '127.0.0.1:0', data = folder()) {
    const server = Object.assign(new Server(), { data });
    await server.listen(listen);
    const keys = await promisify(execFile)(PROGRAM, ['keys', 'create', '--data', data, '--scope', 'ingest,read']);
    server.key = keys.stdout.trim();
    return server;
  }

  async listen(listen) {
    const limits = ['--requests-per-key', '0', '--requests-per-address', '0'];
    this.process = spawn(PROGRAM, ['serve', '--dev', '--listen', listen, '--data', this.data, ...limits, '--log', 'error'], {
      env: cleanEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [line] = await once(readline.createInterface({ input: this.process.stderr }), 'line');
    if (!line.startsWith('listening on ')) throw new Error(line);
    this.url = line.split(' ').at(-1);
  }

  get ca() {
    return join(this.data, 'ca.pem');
  }

  /** What a program needs to log to it. */
  environment(node, more = {}) {
    return {
      ...cleanEnvironment(),
      LOGFLUX_SERVER_URL: this.url,
      LOGFLUX_API_KEY: this.key,
      LOGFLUX_CA_FILE: this.ca,
      LOGFLUX_SECRET: SECRET,
      LOGFLUX_MODE: String(MODE),
      LOGFLUX_NODE: node,
      ...more,
    };
  }

  /** What a client needs to log to it, in the mode whose keys come quickest. */
  settings(node, more = {}) {
    return { serverUrl: this.url, apiKey: this.key, caFile: this.ca, secret: SECRET, mode: MODE, node, ...more };
  }

  /** What it holds of a node, opened, the oldest first. */
  async entries(node) {
    const { stdout } = await promisify(execFile)(
      PROGRAM,
      ['query', '--limit', '0', '--order', 'asc', '--format', 'json', '--node', node],
      { env: this.environment(node), maxBuffer: 2 ** 30 },
    );
    return stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  async messages(node) {
    return (await this.entries(node)).map(({ message }) => message);
  }

  async events(node) {
    return (await this.messages(node)).map((message) => JSON.parse(message));
  }

  async stop() {
    this.process.kill('SIGKILL');
    await once(this.process, 'close');
  }
}

/** The name of a sender that nobody else has. */
function newNode() {
  return `node-${randomBytes(6).toString('hex')}`;
}

const folders = [];
process.on('exit', () => folders.forEach((path) => rmSync(path, { recursive: true, force: true })));

/** A folder that is removed at the end, below that in which the package is installed. */
function folder() {
  const path = mkdtempSync(join(HERE, 'tmp-'));
  folders.push(path);
  return path;
}

const bin = (name) => join(HERE, 'node_modules', name);
/** The runtimes, and how each is started. */
const RUNTIMES = {
  node: [process.execPath],
  bun: [bin('@oven/bun-linux-x64/bin/bun')],
  deno: [bin('@deno/linux-x64-glibc/deno'), 'run', '--allow-ffi', '--allow-env', '--allow-read', '--allow-sys', '--no-lock', '--quiet'],
};

/**
 * Runs a program in a process of its own.
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string, took: number }>}
 */
async function run(code, { env, runtime = 'node', name = 'program.cjs', args = [], options = [], timeout = ENOUGH * 2 } = {}) {
  const file = join(folder(), name);
  writeFileSync(file, code);
  const [program, ...first] = RUNTIMES[runtime];
  const begun = performance.now();
  const child = spawn(program, [...first, ...options, file, ...args], { env: env ?? cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'], cwd: HERE });
  const texts = [child.stdout, child.stderr].map((stream) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (more) => (text += more));
    return () => text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
  const [status, signal] = await once(child, 'close');
  clearTimeout(timer);
  return { code: status, signal, stdout: texts[0](), stderr: texts[1](), took: performance.now() - begun };
}

/** Waits until a condition holds. */
async function waitFor(condition) {
  const begun = performance.now();
  while (!(await condition())) {
    if (performance.now() - begun > ENOUGH) throw new Error('it did not come to pass');
    await new Promise((resume) => setTimeout(resume, 20));
  }
}

module.exports = { ENOUGH, HERE, MODE, PROGRAM, RUNTIMES, SECRET, Server, cleanEnvironment, execFileSync, folder, newNode, run, waitFor };
