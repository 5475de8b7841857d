'use strict';

// A NestJS application, written without decorators so that it runs as it is.
require('reflect-metadata');
const { Controller, Get, Logger, Module, Param } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const logflux = require('@logflux/logflux-js-sdk');

class OrdersController {
  #logger = new Logger('Orders');

  read(id) {
    this.#logger.log('order was read', { order: id });
    return { order: id };
  }

  broken() {
    throw new Error('on purpose');
  }
}
const decorate = (decorators, target, key) => Reflect.decorate(decorators, target, key, key && Object.getOwnPropertyDescriptor(target, key));
Param('id')(OrdersController.prototype, 'read', 0);
decorate([Get('orders/:id')], OrdersController.prototype, 'read');
decorate([Get('broken')], OrdersController.prototype, 'broken');
decorate([Controller()], OrdersController);

class AppModule {}
decorate([Module({ controllers: [OrdersController] })], AppModule);

async function main() {
  logflux.initFromEnv();
  const app = await NestFactory.create(AppModule, { bufferLogs: true });
  app.useLogger(new logflux.LogFluxLogger());
  app.enableShutdownHooks();
  await app.listen(Number(process.env.PORT ?? 3000));
  console.log(`listening on ${app.getHttpServer().address().port}`);
  app.getHttpServer().on('close', () => logflux.notice('shut down'));
}

main();
