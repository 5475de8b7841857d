package io.logflux.jul;

import io.logflux.Client;
import io.logflux.Event;
import io.logflux.Level;
import io.logflux.LogfluxException;
import java.time.Duration;
import java.util.logging.ErrorManager;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;

/**
 * A handler that logs through LogFlux. The {@code LOGFLUX_…} variables set it up, or the client that it is given.
 * Closing it closes a client of its own, and flushes one that it was given.
 */
public class LogfluxHandler extends Handler {
    private static final Duration FLUSH_TIMEOUT = Duration.ofSeconds(5);
    /** Puts parameters and translations into messages. */
    private static final SimpleFormatter FORMATTER = new SimpleFormatter();

    private final Client client;
    private final boolean own;

    /** A handler with a client of its own. Where none can be had, it says so on stderr, and logs nothing. */
    public LogfluxHandler() {
        Client opened = null;
        try {
            opened = Client.fromEnv();
        } catch (LogfluxException e) {
            // A configuration file may name this class: the application goes on.
            System.err.println("logflux: LogfluxHandler logs nothing: " + e.getMessage());
        }
        this.client = opened;
        this.own = true;
    }

    /**
     * A handler that logs through a client, and does not close it.
     *
     * @param client the client
     */
    public LogfluxHandler(Client client) {
        this.client = client;
        this.own = false;
    }

    /**
     * The level of LogFlux.
     *
     * @param level a level of {@code java.util.logging}
     * @return error from SEVERE, warning from WARNING, info from INFO, and below that debug
     */
    static Level levelOf(java.util.logging.Level level) {
        int value = level.intValue();
        if (value >= java.util.logging.Level.SEVERE.intValue()) {
            return Level.ERROR;
        }
        if (value >= java.util.logging.Level.WARNING.intValue()) {
            return Level.WARNING;
        }
        return value >= java.util.logging.Level.INFO.intValue() ? Level.INFO : Level.DEBUG;
    }

    @Override
    public void publish(LogRecord record) {
        if (client == null || record == null || !isLoggable(record)) {
            return;
        }
        try {
            client.log(new Event(levelOf(record.getLevel()), FORMATTER.formatMessage(record))
                    .target(record.getLoggerName())
                    .exception(record.getThrown())
                    .time(record.getInstant()));
        } catch (RuntimeException e) {
            reportError(null, e, ErrorManager.FORMAT_FAILURE);
        }
    }

    @Override
    public void flush() {
        if (client != null) {
            client.flush(FLUSH_TIMEOUT);
        }
    }

    /** Flushes; a client of its own is closed where the process goes on. */
    @Override
    public void close() {
        if (client == null) {
            return;
        }
        // LogManager closes handlers in a hook of its own, and other hooks may log after it.
        boolean ending = Thread.currentThread().getClass().getName().startsWith("java.util.logging.LogManager");
        if (own && !ending) {
            client.close();
        } else {
            flush();
        }
    }
}
