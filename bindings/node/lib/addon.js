'use strict';

/** Finds and loads the addon for this platform. */

const { version } = require('../package.json');

/** @returns {string} `gnu` or `musl` */
function libc() {
  try {
    /** @type {any} */
    const { report } = process;
    const before = report.excludeNetwork;
    report.excludeNetwork = true; // names of peers would be looked up
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

const PACKAGE = '@logflux/logflux-js-sdk';
const BASE = `${process.platform}-${process.arch}`;
/** The platforms that this may be, as they end the names of packages. */
const PLATFORMS =
  process.platform === 'linux' ? [`${BASE}-gnu`, `${BASE}-musl`] : [process.platform === 'win32' ? `${BASE}-msvc` : BASE];

/** @param {string} text @returns {Error} */
function unloadable(text, /** @type {unknown} */ cause) {
  const error = /** @type {Error & { code: string }} */ (new Error(text, { cause }));
  error.name = 'LogFluxError';
  error.code = 'LOGFLUX_NO_ADDON';
  return error;
}

function load() {
  let addon;
  let name = '';
  /** Why what is installed cannot be loaded. @type {any} */
  let cause;
  for (const platform of PLATFORMS) {
    name = `${PACKAGE}-${platform}`;
    try {
      addon = require(name);
      break;
    } catch (error) {
      const code = /** @type {any} */ (error)?.code;
      if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') cause ??= error;
    }
  }
  if (addon === undefined) throw missing(cause);
  if (addon.version() !== version) {
    throw unloadable(`${PACKAGE} is ${version}, but ${name} is ${addon.version()}: run "npm install ${name}@${version}"`, undefined);
  }
  return addon;
}

/** @param {any} cause */
function missing(cause) {
  // It takes a while to find out, and is needed only here.
  const here = process.platform === 'linux' ? `${BASE}-${libc()}` : PLATFORMS[0];
  const name = `${PACKAGE}-${here}`;
  const what = cause === undefined ? 'is not installed' : `cannot be loaded: ${cause.message}`;
  return unloadable(
    `${PACKAGE} ${version}: the package ${name} for this platform (${here}) ${what}.\n` +
      `  1. It is an optional dependency, which --omit=optional, a lock file of another platform, or a copied node_modules leaves out: delete node_modules and package-lock.json and run "npm install" on this platform, or "npm install ${name}@${version}".\n` +
      `  2. If there is no such package for your platform, build it from source: "make node" in the repository of LogFlux, then "npm install" both files of target/npm.`,
    cause,
  );
}

module.exports = load();
