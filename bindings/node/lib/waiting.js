'use strict';

/** Waiting without blocking: nothing native calls back, so that a timer asks. */

// Kept, so that a test's fake timers do not hold a flush up.
const { setTimeout } = require('node:timers');
const native = require('./native.js');

const { hrtime } = process;
/** Milliseconds of a clock that nobody sets. */
const now = () => Number(hrtime.bigint()) / 1e6;

/**
 * Waits until the ticket is done, for `timeout` milliseconds at most.
 * @param {unknown} ticket @param {number} timeout @returns {Promise<{ dropped: number, left: number }>}
 */
async function settle(ticket, timeout) {
  const LONGEST = 20;
  const end = now() + timeout;
  for (let pause = 1; !native.ticketDone(ticket); pause = Math.min(pause * 2, LONGEST)) {
    const left = end - now();
    if (left <= 0) break;
    await new Promise((resume) => setTimeout(resume, Math.min(pause, left)));
  }
  return native.ticketAnswer(ticket);
}

exports.settle = settle;
