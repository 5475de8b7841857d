'use strict';

/** The end of the process: whatever way it comes, what was logged is delivered, in time. */

const native = require('./native.js');

/** Whether this is not a worker. It is asked when a client is made: the module takes a while to load. */
const isMainThread = () => require('node:worker_threads').isMainThread;

/** How copies of this package know each other's listeners. */
const OURS = Symbol.for('@logflux/logflux-js-sdk.listener');
const SIGNALS = /** @type {const} */ (['SIGTERM', 'SIGINT']);

/** What is still to be logged by somebody who holds lines back. @type {Set<() => void>} */
const before = new Set();
/** What is to be told after all. @type {Set<() => void>} */
const after = new Set();

/** @template {Function} T @param {T} listener @returns {T} */
function ours(listener) {
  return Object.defineProperty(listener, OURS, { value: true });
}

/** @param {Set<() => void>} work */
function all(work) {
  for (const call of work) {
    try {
      call();
    } catch {
      // It must not keep the others from their turn, nor the process from its end.
    }
  }
}

/** Flushes every client, each within its time, and waits for it. */
function flushAll() {
  all(before);
  try {
    native.flushAtExit();
  } catch {
    // There is nobody to tell.
  }
  all(after);
  // Bun ends a process without the C library's handlers, which say on stderr what is lost.
  if (process.versions.bun !== undefined && isMainThread()) native.endOfProcess();
}

const atExit = ours(() => {
  // A worker's lines go on to be sent by the process, which flushes at its own end.
  if (isMainThread() || !native.doesMainListen()) flushAll();
  else all(before);
});

let moving = false;
/** Goes behind a listener that comes later, which may log. @type {(event: string | symbol, listener: Function) => void} */
const atNewListener = ours((event, listener) => {
  if (event !== 'exit' || moving || OURS in listener) return;
  moving = true;
  queueMicrotask(() => {
    moving = false;
    process.removeListener('exit', atExit);
    process.on('exit', atExit);
  });
});

let watching = false;
/** Flushes at the end of this process or worker. */
function watch() {
  if (watching) return;
  watching = true;
  if (isMainThread()) native.mainListens();
  process.on('exit', atExit);
  process.on('newListener', /** @type {any} */ (atNewListener));
}

/** @type {(signal: NodeJS.Signals) => void} */
const atSignal = ours((signal) => {
  // The application has its own way with it, which leads to `exit`.
  if (process.listeners(signal).some((listener) => !(OURS in listener))) return;
  flushAll();
  for (const listener of process.listeners(signal)) process.removeListener(signal, /** @type {any} */ (listener));
  process.kill(process.pid, signal);
});

let handling = false;
/** Flushes at signals that nobody else handles, and then lets them end the process. */
function handleSignals() {
  if (handling || !isMainThread()) return;
  handling = true;
  // First of all, so that a listener that is called once is still there to be seen.
  for (const signal of SIGNALS) process.prependListener(signal, atSignal);
}

let logging = false;
/** Logs what nobody catches, and changes nothing else about it. @param {(error: unknown, origin: string) => void} log */
function logUncaught(log) {
  if (logging) return;
  logging = true;
  process.on('uncaughtExceptionMonitor', ours((error, origin) => log(error, origin)));
}

exports.after = after;
exports.isMainThread = isMainThread;
exports.before = before;
exports.handleSignals = handleSignals;
exports.logUncaught = logUncaught;
exports.watch = watch;
