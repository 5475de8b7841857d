'use strict';

/** Finds and loads the addon for this platform. */

const { version } = require('../package.json');

/** @returns {string} `gnu` or `musl` */
function libc() {
  try {
    const { report } = process;
    const before = report.excludeNetwork;
    report.excludeNetwork = true; // names of peers would be looked up
    /** @type {any} */
    const made = report.getReport();
    report.excludeNetwork = before;
    if (made.header.glibcVersionRuntime) return 'gnu';
    if (made.sharedObjects.some((/** @type {string} */ file) => file.includes('ld-musl-'))) return 'musl';
  } catch {
    // Not every runtime makes reports.
  }
  try {
    // The program says in its first bytes which loader it wants.
    const fs = require('node:fs');
    const file = fs.openSync(process.execPath, 'r');
    const head = Buffer.alloc(4096);
    fs.readSync(file, head, 0, head.length, 0);
    fs.closeSync(file);
    if (head.includes('ld-musl-')) return 'musl';
  } catch {
    // What is usual, then.
  }
  return 'gnu';
}

/** @returns {string} the platform, as it ends the names of packages */
function platform() {
  const base = `${process.platform}-${process.arch}`;
  if (process.platform === 'linux') return `${base}-${libc()}`;
  return process.platform === 'win32' ? `${base}-msvc` : base;
}

/** @param {string} text @returns {Error} */
function unloadable(text, /** @type {unknown} */ cause) {
  const error = /** @type {Error & { code: string }} */ (new Error(text, { cause }));
  error.name = 'LogFluxError';
  error.code = 'LOGFLUX_NO_ADDON';
  return error;
}

function load() {
  const here = platform();
  const name = `@logflux/logflux-js-sdk-${here}`;
  let addon;
  try {
    addon = require(name);
  } catch (cause) {
    const code = /** @type {any} */ (cause)?.code;
    const missing = code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
    const what = missing ? 'is not installed' : `cannot be loaded: ${/** @type {any} */ (cause)?.message}`;
    throw unloadable(
      `@logflux/logflux-js-sdk ${version}: the package ${name} for this platform (${here}) ${what}.\n` +
        `  1. It is an optional dependency, which --omit=optional, a lock file of another platform, or a copied node_modules leaves out: delete node_modules and package-lock.json and run "npm install" on this platform, or "npm install ${name}@${version}".\n` +
        `  2. If there is no such package for your platform, build it from source: "make node" in the repository of LogFlux, then "npm install" both files of target/npm.`,
      cause,
    );
  }
  if (addon.version() !== version) {
    throw unloadable(
      `@logflux/logflux-js-sdk is ${version}, but ${name} is ${addon.version()}: run "npm install ${name}@${version}"`,
      undefined,
    );
  }
  return addon;
}

module.exports = load();
