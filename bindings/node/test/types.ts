// Compiled under `strict`, with `node16` and `bundler` resolution, as CommonJS and as ESM. It is not run.
import logflux, { LogFluxClient, Level, Mode, Secret, init, openMany, type ClientStats, type Settings } from '@logflux/logflux-js-sdk';
import transport, { pino as destination } from '@logflux/logflux-js-sdk/pino';
import { LogFluxTransport } from '@logflux/logflux-js-sdk/winston';
import { LogFluxLogger } from '@logflux/logflux-js-sdk/nest';
import { LogFluxLogRecordExporter } from '@logflux/logflux-js-sdk/opentelemetry';
import { deriveKey } from '@logflux/logflux-js-sdk/hazmat';
import pino from 'pino';
import winston from 'winston';
import type { LoggerService } from '@nestjs/common';
import type { LogRecordExporter } from '@opentelemetry/sdk-logs';

const settings: Settings = { mode: Mode.HKDF, minLevel: 'info', flushInterval: '250ms', keyPolicy: { name: 'bounded', maxAge: 1000 } };
const client: LogFluxClient = init('https://c12345.ingest.us.logflux.io', 'my-app', 'lf_your_api_key', 'your-encryption-secret', { ...settings, handleSignals: false });
logflux.initFromEnv();
logflux.info('User login successful');
logflux.error('payment failed', { order: 17, err: new Error('x') });
client.log(Level.NOTICE, 'text');
const own = new LogFluxClient({ secret: process.env.LOGFLUX_SECRET_PROD });
const stats: ClientStats = own.stats();
const lines: Promise<string[]> = openMany(['{}'], Secret.generate(), { progress: (done, total) => done / total });
const bytes: Promise<Buffer[]> = openMany(['{}'], 'secret', { bytes: true });
const undo: () => void = logflux.captureConsole();
const answer: number = logflux.withContext({ request: 1 }, () => 42);
pino({}, logflux.pino());
pino({}, destination({ client }));
transport({ mode: 128 }).flushSync();
winston.createLogger({ transports: [new LogFluxTransport({ client, level: 'info' }), logflux.winston()] });
const service: LoggerService = new LogFluxLogger({ context: 'Shop' });
const exporter: LogRecordExporter = new LogFluxLogRecordExporter({ client });
const key: Buffer = deriveKey('secret', new Uint8Array(32));
export const used = [stats, lines, bytes, undo, answer, service, exporter, key];

// @ts-expect-error a level that there is not
client.log('loud', 'text');
// @ts-expect-error a setting that there is not
new LogFluxClient({ server_url: 'https://a' });
// @ts-expect-error a number is no secret
new Secret(7);
