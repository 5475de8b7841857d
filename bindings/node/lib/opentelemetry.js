'use strict';

/** An exporter of OpenTelemetry's log records. */

const { Level, levelOf } = require('./levels.js');
const { asText } = require('./json.js');
const { Sink } = require('./sink.js');

const [SUCCESS, FAILED] = [0, 1];

/** The level of a severity number: those of the data model, 1 to 24. @param {number | undefined} severity @param {string | undefined} text */
function levelFor(severity, text) {
  if (!severity) return levelOf(text, Level.INFO);
  if (severity >= 21) return Level.CRITICAL;
  if (severity >= 17) return Level.ERROR;
  if (severity >= 13) return Level.WARNING;
  return severity >= 9 ? Level.INFO : Level.DEBUG;
}

/** Implements `LogRecordExporter`, and needs nothing of OpenTelemetry. */
class LogFluxLogRecordExporter {
  #sink;
  #ended = false;

  /** @param {{ client?: import('./client.js').LogFluxClient }} [options] */
  constructor({ client } = {}) {
    this.#sink = new Sink(client);
  }

  /** @param {any[]} records @param {(result: { code: number, error?: Error }) => void} done */
  export(records, done) {
    if (this.#ended) {
      done({ code: FAILED, error: new Error('the exporter is shut down') });
      return;
    }
    for (const record of records) this.#log(record);
    done({ code: SUCCESS });
  }

  /** @param {any} record */
  #log(record) {
    try {
      const { body, attributes, spanContext, severityNumber, severityText, hrTime, eventName } = record;
      const { 'exception.stacktrace': stack, ...fields } = { ...attributes };
      if (eventName !== undefined) fields.event = eventName;
      if (spanContext?.traceId !== undefined) fields.trace_id = spanContext.traceId;
      if (spanContext?.spanId !== undefined) fields.span_id = spanContext.spanId;
      const isText = typeof body === 'string';
      if (!isText && body !== undefined && body !== null) fields.body = body;
      this.#sink.log(
        levelFor(severityNumber, severityText),
        {
          message: isText ? body : undefined,
          target: (record.instrumentationScope ?? record.instrumentationLibrary)?.name,
          fields,
          exception: stack === undefined ? undefined : asText(stack),
        },
        Array.isArray(hrTime) ? hrTime[0] * 1e3 + hrTime[1] / 1e6 : undefined,
      );
    } catch {
      // One record must not keep the others back.
    }
  }

  /** Waits until what was exported is delivered, or durable in the spool. */
  async forceFlush() {
    await this.#sink.flush();
  }

  async shutdown() {
    this.#ended = true;
    await this.#sink.flush();
  }
}

module.exports = { LogFluxLogRecordExporter };
