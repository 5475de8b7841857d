'use strict';

/** `console`: what is written there is logged as well. */

const { format } = require('node:util');
const { Level } = require('./levels.js');
const { asText, isError } = require('./json.js');
const { Sink } = require('./sink.js');

/** @type {Record<string, number>} */
const LEVELS = { error: Level.ERROR, warn: Level.WARNING, info: Level.INFO, log: Level.INFO, debug: Level.DEBUG, trace: Level.DEBUG };

/**
 * Logs what is written to the console, which goes on to be written. Gives what undoes it.
 * @param {{ client?: import('./client.js').LogFluxClient, console?: Console }} [options]
 * @returns {() => void}
 */
function captureConsole({ client, console: captured = console } = {}) {
  const sink = new Sink(client);
  /** @type {any} */
  const target = captured;
  /** @type {(() => void)[]} */
  const undos = [];
  // What is written while a line is logged is not logged: it could never end.
  let inside = false;
  for (const [name, level] of Object.entries(LEVELS)) {
    const original = target[name];
    if (typeof original !== 'function') continue;
    const capturing = function (/** @type {unknown[]} */ ...values) {
      const result = Reflect.apply(original, target, values);
      if (!inside) {
        inside = true;
        try {
          sink.log(level, () => ({ message: text(values), error: values.find(isError) }));
        } finally {
          inside = false;
        }
      }
      return result;
    };
    target[name] = capturing;
    undos.push(() => {
      // Somebody else may have put another in its place, which calls this one.
      if (target[name] === capturing) target[name] = original;
    });
  }
  return () => {
    for (const undo of undos.splice(0)) undo();
    inside = true;
  };
}

/** @param {unknown[]} values @returns {string} */
function text(values) {
  try {
    return format(...values);
  } catch {
    return values.map(asText).join(' ');
  }
}

exports.captureConsole = captureConsole;
