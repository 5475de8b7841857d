import all from './opentelemetry.js';

export const { LogFluxLogRecordExporter } = all;
