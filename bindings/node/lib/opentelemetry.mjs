export { LogFluxLogRecordExporter } from './opentelemetry.js';
