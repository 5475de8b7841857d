'use strict';

// A Fastify application, whose own logger (pino) logs through LogFlux in the same thread.
const fastify = require('fastify');
const logflux = require('@logflux/logflux-js-sdk');

logflux.initFromEnv();

const app = fastify({ logger: { level: 'info', stream: logflux.pino(), redact: ['req.headers.authorization'] } });
app.get('/orders/:id', async (request) => {
  request.log.info({ order: request.params.id }, 'order was read');
  return { order: request.params.id };
});
app.get('/broken', async () => {
  throw new Error('on purpose');
});
app.addHook('onClose', async () => {
  logflux.notice('shut down');
  await logflux.close();
});

app.listen({ port: Number(process.env.PORT ?? 3000) }).then(() => console.log(`listening on ${app.server.address().port}`));
process.once('SIGTERM', () => app.close());
