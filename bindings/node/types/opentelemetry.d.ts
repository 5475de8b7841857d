export { LogFluxLogRecordExporter } from '../index.js';
