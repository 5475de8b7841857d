package io.logflux;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One line of a logging framework: what becomes the JSON object {@code message}, {@code target}, {@code fields},
 * {@code exception}. What it has not is left out. Appenders make one for every line.
 */
public final class Event {
    private static final int TRACE_MAX = 48_000;

    private final Level level;
    private final String message;
    private String target;
    private Map<String, Object> fields;
    private Throwable exception;
    private Instant time;

    /**
     * An event of a level.
     *
     * @param level its level
     * @param message its message; null counts as the text {@code null}
     */
    public Event(Level level, String message) {
        this.level = level;
        this.message = message;
    }

    /**
     * Names the logger.
     *
     * @param name its name, or null
     * @return this event
     */
    public Event target(String name) {
        this.target = name;
        return this;
    }

    /**
     * Adds a field; a later one of the same name counts.
     *
     * @param name its name
     * @param value its value, which becomes JSON
     * @return this event
     */
    public Event field(String name, Object value) {
        if (fields == null) {
            fields = new LinkedHashMap<>();
        }
        fields.put(name, value);
        return this;
    }

    /**
     * Adds fields.
     *
     * @param more names and values, or null
     * @return this event
     */
    public Event fields(Map<String, ?> more) {
        if (more != null && !more.isEmpty()) {
            if (fields == null) {
                fields = new LinkedHashMap<>();
            }
            fields.putAll(more);
        }
        return this;
    }

    /**
     * Adds an exception, with its stack and its causes.
     *
     * @param thrown the exception, or null
     * @return this event
     */
    public Event exception(Throwable thrown) {
        this.exception = thrown;
        return this;
    }

    /**
     * Says when it was; now by default.
     *
     * @param when the time, or null
     * @return this event
     */
    public Event time(Instant when) {
        this.time = when;
        return this;
    }

    Level level() {
        return level;
    }

    Instant time() {
        return time;
    }

    String json() {
        Json json = new Json(256);
        json.out.append('{');
        json.name("message");
        json.text(message == null ? "null" : message, Text.MESSAGE_MAX);
        if (target != null && !target.isEmpty()) {
            json.out.append(',');
            json.name("target");
            json.text(target, Json.CHARS_MAX / 10);
        }
        if (fields != null) {
            json.out.append(',');
            json.name("fields");
            json.out.append('{');
            json.members(fields, true);
            json.out.append('}');
        }
        if (exception != null) {
            json.out.append(',');
            json.name("exception");
            json.text(trace(exception), TRACE_MAX);
        }
        return json.out.append('}').toString();
    }

    private static String trace(Throwable thrown) {
        try {
            StringWriter out = new StringWriter();
            thrown.printStackTrace(new PrintWriter(out));
            return out.toString().stripTrailing();
        } catch (Exception | StackOverflowError e) {
            return thrown.getClass().getName();
        }
    }
}
