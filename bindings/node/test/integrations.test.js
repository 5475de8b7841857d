'use strict';

/** pino, winston, Nest, the console, contexts and OpenTelemetry. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const logflux = require('@logflux/logflux-js-sdk');
const { Server, newNode, run } = require('./support.js');

const server = Server.shared();

/** A client, and what the server holds when it is closed. */
function kept(settings) {
  const node = newNode();
  const client = new logflux.LogFluxClient(server.settings(node, settings));
  const entries = async () => {
    assert.equal(await client.close({ timeout: '60s' }), true);
    return (await server.entries(node)).map(({ message, loglevel, timestamp }) => ({ level: loglevel, timestamp, ...JSON.parse(message) }));
  };
  return { client, entries };
}
const without = ({ timestamp, ...rest }) => rest;

test('pino: a destination in the same thread', async () => {
  const { client, entries } = kept();
  const pino = require('pino');
  const log = pino(
    { level: 'trace', name: 'app', redact: ['password'], customLevels: { notice: 35 }, serializers: { user: ({ id }) => id } },
    logflux.pino({ client }),
  );
  for (const level of ['trace', 'debug', 'info', 'notice', 'warn', 'error', 'fatal']) log[level](level);
  log.info({ password: 'hunter2', user: { id: 7, name: 'x' } }, 'logged in as %s', 'x');
  log.child({ request: 'r1' }).error(new Error('no such row'), 'failed');
  log.info({ only: 'fields' });
  const [trace, debug, info, notice, warn, error, fatal, redacted, failed, only] = await entries();
  assert.deepEqual([trace, debug, info, notice, warn, error, fatal].map(({ level }) => level), [8, 8, 7, 7, 5, 4, 3]);
  assert.deepEqual(without(info), { level: 7, message: 'info', target: 'app' });
  assert.deepEqual(without(redacted), { level: 7, message: 'logged in as x', target: 'app', fields: { password: '[Redacted]', user: 7 } });
  assert.match(failed.exception, /^Error: no such row\n {4}at /);
  assert.deepEqual(failed.fields, { request: 'r1', err: { type: 'Error', message: 'no such row' } });
  assert.deepEqual(without(only), { level: 7, target: 'app', fields: { only: 'fields' } });
  assert.ok(Math.abs(Date.parse(info.timestamp) - Date.now()) < 600_000);
});

test('pino: options of its own, and lines that are no JSON', async () => {
  const { client, entries } = kept();
  const pino = require('pino');
  const log = pino(
    { messageKey: 'message', errorKey: 'error', timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) }, base: undefined },
    logflux.pino({ client, messageKey: 'message', errorKey: 'error' }),
  );
  log.warn({ a: 1 }, 'iso');
  log.error(new Error('boom'));
  logflux.pino({ client }).write('no JSON\n');
  const [iso, error, text] = await entries();
  assert.deepEqual(without(iso), { level: 5, message: 'iso', fields: { a: 1 } });
  assert.deepEqual([error.level, error.message], [4, 'boom']);
  assert.match(error.exception, /^Error: boom\n/);
  assert.deepEqual(without(text), { level: 7, message: 'no JSON' });
});

test('pino: a transport in a thread of its own, as Fastify and nestjs-pino have it', async () => {
  const ends = { 'normal end': '', 'process.exit': 'setTimeout(() => process.exit(0), 500);', 'flush first': 'log.flush(() => process.exit(0));' };
  await Promise.all(
    Object.entries(ends).map(async ([name, end]) => {
      const node = newNode();
      const done = await run(
        `const pino = require('pino');
         const log = pino({ transport: { target: '@logflux/logflux-js-sdk/pino', options: { node: '${node}' } } });
         for (let i = 0; i < 100; i += 1) log.info({ i }, 'line');
         ${end}`,
        { env: server.environment('another') },
      );
      assert.deepEqual([done.code, done.stderr], [0, ''], name);
      const events = await server.events(node);
      assert.deepEqual(events.at(-1), { message: 'line', fields: { i: 99 } }, name);
      assert.equal(events.length, 100, name);
    }),
  );
});

test('winston', async () => {
  const { client, entries } = kept();
  const winston = require('winston');
  const { LogFluxTransport } = require('@logflux/logflux-js-sdk/winston');
  const transport = new LogFluxTransport({ client });
  assert.ok(transport instanceof require('winston-transport'));
  const format = winston.format.combine(winston.format.errors({ stack: true }), winston.format.splat(), winston.format.timestamp());
  const log = winston.createLogger({ level: 'silly', format, defaultMeta: { service: 'shop' }, transports: [transport] });
  for (const level of ['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly']) log[level](level);
  log.info('order %d', 17, { user: 'x' });
  log.error('failed', new Error('no such row'));
  log.error(new Error('alone'));
  log.child({ request: 'r1' }).info('within', { deep: { er: 1 } });
  await new Promise((resume) => setTimeout(resume, 50));
  log.remove(transport);
  const lines = await entries();
  assert.deepEqual(lines.slice(0, 7).map(({ level }) => level), [4, 5, 7, 7, 8, 8, 8]);
  assert.deepEqual(without(lines[7]), { level: 7, message: 'order 17', fields: { user: 'x', service: 'shop' } });
  assert.match(lines[8].exception, /^Error: no such row\n/);
  assert.match(lines[9].exception, /^Error: alone\n/);
  assert.equal(lines[9].message, 'alone');
  assert.deepEqual(lines[10].fields, { request: 'r1', deep: { er: 1 }, service: 'shop' });
  assert.equal(lines.length, 11);
});

test('winston: levels of syslog, a level of the transport, its text, and the end of the logger', async () => {
  const { client, entries } = kept();
  const winston = require('winston');
  const transport = logflux.winston({ client, level: 'notice', formatted: true });
  const log = winston.createLogger({ levels: winston.config.syslog.levels, format: winston.format.simple(), transports: [transport] });
  for (const level of Object.keys(winston.config.syslog.levels)) log[level](level);
  const finished = new Promise((resolve) => transport.once('finish', resolve));
  log.end();
  await finished;
  const lines = await entries();
  assert.deepEqual(lines.map(({ level }) => level), [1, 2, 3, 4, 5, 6]);
  assert.equal(lines[0].message, 'emerg: emerg');
});

test('Nest: an application logs through it, and flushes when it shuts down', async () => {
  const node = newNode();
  const done = await run(
    `require('reflect-metadata');
     const { Module, Logger, Injectable } = require('@nestjs/common');
     const { NestFactory } = require('@nestjs/core');
     const logflux = require('@logflux/logflux-js-sdk');
     class AppModule {}
     Module({})(AppModule);
     async function main() {
       logflux.init();
       const app = await NestFactory.createApplicationContext(AppModule, { logger: new logflux.LogFluxLogger() });
       app.enableShutdownHooks();
       const logger = new Logger('Shop');
       logger.log('order 17');
       logger.log({ order: 18 });
       logger.warn('low', { left: 2 });
       logger.error('failed', new Error('no such row').stack);
       logger.error(new Error('alone'));
       logger.fatal('fatal'); logger.debug('debug'); logger.verbose('verbose');
       process.kill(process.pid, 'SIGTERM');
     }
     main();`,
    { env: server.environment(node) },
  );
  // Nest sends the signal to itself once more, and nothing may be left to wait for it.
  assert.ok(['SIGTERM', 0].includes(done.signal ?? done.code));
  assert.equal(done.stderr, '');
  const entries = await server.entries(node);
  const own = entries.map(({ loglevel, message }) => ({ level: loglevel, ...JSON.parse(message) })).filter(({ target }) => target === 'Shop');
  assert.deepEqual(own[0], { level: 7, message: 'order 17', target: 'Shop' });
  assert.deepEqual(own[1], { level: 7, target: 'Shop', fields: { order: 18 } });
  assert.deepEqual(own[2], { level: 5, message: 'low', target: 'Shop', fields: { left: 2 } });
  assert.deepEqual([own[3].level, own[3].message], [4, 'failed']);
  assert.match(own[3].exception, /^Error: no such row\n/);
  assert.match(own[4].exception, /^Error: alone\n/);
  assert.deepEqual(own.slice(5).map(({ level }) => level), [3, 8, 8]);
  assert.ok(entries.some(({ message }) => JSON.parse(message).target === 'NestFactory'));
});

test('the console is captured, and given back', async () => {
  const { client, entries } = kept();
  const written = [];
  const target = Object.fromEntries(['log', 'info', 'warn', 'error', 'debug', 'trace'].map((name) => [name, (...values) => written.push([name, ...values])]));
  const before = { ...target };
  const undo = logflux.captureConsole({ client, console: target });
  target.log('%s has %d', 'x', 2, { a: 1 });
  target.error('failed:', new Error('no such row'));
  target.warn('warn');
  target.debug('debug');
  undo();
  undo();
  target.log('not logged');
  assert.deepEqual(target, before);
  assert.equal(written.length, 5);
  assert.deepEqual(written[0], ['log', '%s has %d', 'x', 2, { a: 1 }]);
  const lines = await entries();
  assert.deepEqual(without(lines[0]), { level: 7, message: 'x has 2 { a: 1 }' });
  assert.match(lines[1].exception, /^Error: no such row\n/);
  assert.deepEqual(lines.map(({ level }) => level), [7, 4, 5, 8]);
});

test('what is written while a line is logged is not logged again', async () => {
  const { client, entries } = kept();
  const target = { log() {} };
  const undo = logflux.captureConsole({ client, console: target });
  logflux.setContext(() => {
    target.log('from the context');
    return { trace: 't1' };
  });
  target.log('once');
  logflux.setContext(undefined);
  undo();
  assert.deepEqual((await entries()).map(without), [{ level: 7, message: 'once', fields: { trace: 't1' } }]);
});

test('fields of a context reach what is logged within it, whenever that is', async () => {
  const { client, entries } = kept();
  const log = require('pino')({ base: undefined }, logflux.pino({ client }));
  await logflux.withContext({ request: 'r1', user: 1 }, async () => {
    client.info('at once');
    await new Promise((resume) => setTimeout(resume, 5));
    client.info('later', { user: 2 });
    logflux.withContext({ inner: true }, () => client.info('inner'));
    log.info('by pino');
  });
  logflux.setContext(() => ({ trace: 't1' }));
  client.info('with an outer one');
  logflux.setContext(() => {
    throw new Error('boom');
  });
  client.info('that fails', { a: 1 });
  logflux.setContext(undefined);
  client.info('without', { a: 1 });
  assert.throws(() => logflux.setContext({}), TypeError);
  const fields = (await entries().catch(() => [])).map((line) => line.fields);
  assert.deepEqual(fields, [
    { request: 'r1', user: 1 }, { request: 'r1', user: 2 }, { request: 'r1', user: 1, inner: true }, { request: 'r1', user: 1 }, { trace: 't1' }, { a: 1 }, { a: 1 },
  ]);
});

/** A processor of this version of the SDK, or of earlier ones. */
function processor(Class, exporter) {
  const made = new Class({ exporter });
  return made._exporter === exporter ? made : new Class(exporter);
}

test('OpenTelemetry: log records with their trace', async () => {
  const { client, entries } = kept();
  const { LoggerProvider, SimpleLogRecordProcessor } = require('@opentelemetry/sdk-logs');
  const { LogFluxLogRecordExporter } = require('@logflux/logflux-js-sdk/opentelemetry');
  const { SeverityNumber } = require('@opentelemetry/api-logs');
  const exporter = new LogFluxLogRecordExporter({ client });
  const provider = new LoggerProvider({ processors: [processor(SimpleLogRecordProcessor, exporter)] });
  const logger = provider.getLogger('shop');
  for (const severityNumber of [SeverityNumber.TRACE, SeverityNumber.DEBUG, SeverityNumber.INFO, SeverityNumber.WARN, SeverityNumber.ERROR, SeverityNumber.FATAL]) {
    logger.emit({ severityNumber, body: 'text', timestamp: new Date('2026-01-02T03:04:05.678Z'), attributes: { a: 1 } });
  }
  logger.emit({ body: { structured: true }, attributes: { 'exception.stacktrace': 'Error: x\n    at y', 'exception.type': 'Error' } });
  await provider.forceFlush();
  await provider.shutdown();
  exporter.export([], ({ code }) => assert.equal(code, 1));
  const lines = await entries();
  assert.deepEqual(lines.map(({ level }) => level), [8, 8, 7, 5, 4, 3, 7]);
  assert.deepEqual(lines[2], { level: 7, timestamp: lines[2].timestamp, message: 'text', target: 'shop', fields: { a: 1 } });
  assert.match(lines[2].timestamp, /^2026-01-02T03:04:05\.678/);
  assert.deepEqual(without(lines[6]), { level: 7, target: 'shop', fields: { 'exception.type': 'Error', body: { structured: true } }, exception: 'Error: x\n    at y' });
});
