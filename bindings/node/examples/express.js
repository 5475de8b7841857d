'use strict';

// An Express application that logs every request, with the id of the request in every line.
const { randomUUID } = require('node:crypto');
const express = require('express');
const logflux = require('@logflux/logflux-js-sdk');

logflux.initFromEnv();

const app = express();
app.use((request, response, next) => {
  logflux.withContext({ request: randomUUID() }, () => {
    response.on('finish', () => logflux.info('request', { method: request.method, path: request.path, status: response.statusCode }));
    next();
  });
});
app.get('/orders/:id', (request, response) => {
  logflux.info('order was read', { order: request.params.id });
  response.json({ order: request.params.id });
});
app.get('/broken', () => {
  throw new Error('on purpose');
});
app.use((error, _request, response, _next) => {
  logflux.error('request failed', { err: error });
  response.status(500).end();
});

const server = app.listen(Number(process.env.PORT ?? 3000), () => console.log(`listening on ${server.address().port}`));
// What is still to be logged when the process is asked to end is logged before it does.
process.once('SIGTERM', () => {
  server.closeAllConnections();
  server.close(() => logflux.notice('shut down'));
});
