'use strict';

/** An exporter of OpenTelemetry's log records. */

const { Level, levelOf } = require('./levels.js');
const { asText } = require('./json.js');
const { Sink } = require('./sink.js');

const [SUCCESS, FAILED] = [0, 1];
const STACK = 'exception.stacktrace';

/** The level of a severity number: those of the data model, 1 to 24. @param {number | undefined} severity @param {string | undefined} text */
function levelFor(severity, text) {
  if (!severity) return levelOf(text, Level.INFO);
  if (severity >= 21) return Level.CRITICAL;
  if (severity >= 17) return Level.ERROR;
  if (severity >= 13) return Level.WARNING;
  return severity >= 9 ? Level.INFO : Level.DEBUG;
}

/** @param {any} record */
function lineOf({ body, attributes, spanContext, eventName, instrumentationScope }) {
  const stack = attributes?.[STACK];
  /** @type {Record<string, unknown>} */
  const more = {};
  if (eventName !== undefined) more.event = eventName;
  if (spanContext?.traceId !== undefined) more.trace_id = spanContext.traceId;
  if (spanContext?.spanId !== undefined) more.span_id = spanContext.spanId;
  const isText = typeof body === 'string';
  if (!isText && body !== undefined && body !== null) more.body = body;
  return {
    message: isText ? body : undefined,
    target: instrumentationScope?.name,
    fields: attributes,
    more,
    exception: stack === undefined ? undefined : asText(stack),
    omit: STACK,
  };
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
    /** @type {number} */
    let level = Level.INFO;
    let time;
    try {
      level = levelFor(record.severityNumber, record.severityText);
      const { hrTime } = record;
      if (Array.isArray(hrTime)) time = hrTime[0] * 1e3 + hrTime[1] / 1e6;
    } catch {
      // It is logged all the same.
    }
    this.#sink.log(level, () => lineOf(record), time);
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

exports.LogFluxLogRecordExporter = LogFluxLogRecordExporter;
