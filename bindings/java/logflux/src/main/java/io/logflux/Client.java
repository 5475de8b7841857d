package io.logflux;

import java.lang.ref.Cleaner;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * Logs through one ingest API, as one node, with one secret. A logging call copies its message into a bounded
 * queue and returns; it never throws. Threads may share it. Clients with the same settings share one queue, one
 * connection and one spool; the last that is closed ends them.
 */
public final class Client implements AutoCloseable {
    private static final long FLUSH_TIMEOUT = Duration.ofSeconds(5).toNanos();
    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    private static final int NOW = -1;

    /** The native half's number; 0 where there is no native half. */
    private final int number;
    private final int minLevel;
    private final long closeTimeout;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Gone gone;
    private final Watcher watcher;
    /** Messages that were logged without a native half. */
    private final LongAdder refused = new LongAdder();
    private volatile FlushResult lastFlush;

    Client(ClientBuilder settings) {
        if (!Library.isLoaded()) {
            number = 0;
            minLevel = Level.DEBUG.number();
            closeTimeout = 0;
            gone = null;
            watcher = null;
            return;
        }
        number = settings.openNative();
        minLevel = Native.clientMinLevel(number);
        closeTimeout = Native.clientCloseTimeout(number);
        gone = new Gone(number);
        gone.cleanable = Handle.register(this, gone);
        watcher = Watcher.start(number, settings.onDrop, settings.onNotice);
        Shutdown.opened();
    }

    /**
     * Begins a client. What is not set is what the {@code LOGFLUX_…} variables say.
     *
     * @return a builder
     */
    public static ClientBuilder builder() {
        return new ClientBuilder();
    }

    /**
     * A client that the {@code LOGFLUX_…} variables set up.
     *
     * @return the client
     * @throws LogfluxException where a variable is missing or wrong
     */
    public static Client fromEnv() {
        return builder().open();
    }

    /**
     * Whether a message of this level would be logged.
     *
     * @param level the level
     * @return false where it would be left out
     */
    public boolean isEnabled(Level level) {
        return level.number() <= minLevel;
    }

    /**
     * Logs a message. It never throws, and waits for nothing unless {@code whenFull} is {@code block}.
     *
     * @param level its level
     * @param message its text, which is logged as it is; null counts as the text {@code null}
     */
    public void log(Level level, String message) {
        if (level.ordinal() < minLevel) {
            send(level.ordinal() + 1, message, 0, NOW);
        }
    }

    /**
     * Logs a message with fields or an exception, as one JSON object.
     *
     * @param level its level
     * @param message its text
     * @param fields names and values, or null
     * @param thrown an exception, or null
     */
    public void log(Level level, String message, Map<String, ?> fields, Throwable thrown) {
        if (fields == null && thrown == null) {
            log(level, message);
        } else if (isEnabled(level)) {
            log(new Event(level, message).fields(fields).exception(thrown));
        }
    }

    /**
     * Logs an event as one JSON object. It never throws.
     *
     * @param event the event
     */
    public void log(Event event) {
        if (!isEnabled(event.level())) {
            return;
        }
        String json;
        try {
            json = event.json();
        } catch (Exception | StackOverflowError e) {
            json = Json.UNFORMATTED;
        }
        Instant time = event.time();
        send(event.level().number(), json, time == null ? 0 : time.getEpochSecond(), time == null ? NOW : time.getNano());
    }

    private void send(int level, String text, long seconds, int nanoseconds) {
        if (number == 0) {
            refused.increment();
            return;
        }
        try {
            byte[] utf8 = Text.utf8(text);
            if (!Native.clientLog(number, level, utf8, seconds, nanoseconds)) {
                // It waits for room, as it is set. Once the client is closed the message is taken, and counted.
                Waiting.until(() -> Native.clientLog(number, level, utf8, seconds, nanoseconds), Long.MAX_VALUE);
            }
        } catch (LogfluxException | StackOverflowError | OutOfMemoryError e) {
            // There is nobody to tell, and the application goes on.
        }
    }

    /**
     * As {@link #flush(Duration)}, for 5 seconds at most.
     *
     * @return whether everything is delivered
     */
    public boolean flush() {
        return flush(FLUSH_TIMEOUT);
    }

    /**
     * Waits until all that was logged before is delivered, or durable in the spool. A virtual thread that waits
     * gives its carrier back. An interrupt ends no wait, and is kept for later.
     *
     * @param timeout how long at most
     * @return false where a message was dropped since the client was opened, or the time was not enough
     */
    public boolean flush(Duration timeout) {
        return flush(Waiting.nanoseconds(timeout));
    }

    private boolean flush(long timeout) {
        return number == 0 ? refused() : settle(Native.clientFlushBegin(number), timeout);
    }

    private boolean refused() {
        lastFlush = new FlushResult(refused.sum(), 0);
        return lastFlush.isComplete();
    }

    private boolean settle(long ticket, long timeout) {
        try {
            Waiting.until(() -> Native.ticketDone(ticket), timeout);
            long[] answer = Native.ticketAnswer(ticket);
            lastFlush = new FlushResult(answer[0], answer[1]);
            return lastFlush.isComplete();
        } finally {
            Native.release(ticket);
        }
    }

    /** Closes within the time that {@code closeTimeout} says. */
    @Override
    public void close() {
        close(closeTimeout);
    }

    /**
     * Flushes, and ends the client, unless others use one with the same settings. Later messages are dropped, and
     * counted.
     *
     * @param timeout how long it may take
     * @return whether everything is delivered, or durable in the spool
     */
    public boolean close(Duration timeout) {
        return close(Waiting.nanoseconds(timeout));
    }

    private boolean close(long timeout) {
        if (number == 0) {
            return refused();
        }
        if (!closed.compareAndSet(false, true)) {
            return flush(timeout);
        }
        try {
            gone.used = false;
            // The native half keeps to the time; a moment more is for its last words.
            return settle(Native.clientCloseBegin(number, timeout), timeout + SECOND);
        } finally {
            if (watcher != null) {
                watcher.end();
            }
            Shutdown.closed();
        }
    }

    /**
     * What the last flush or close found.
     *
     * @return the result, or null
     */
    public FlushResult lastFlush() {
        return lastFlush;
    }

    /**
     * What became of all messages.
     *
     * @return the counts of one moment
     */
    public Stats stats() {
        return number == 0 ? Stats.refused(refused.sum()) : Stats.of(number);
    }

    /**
     * Goes on with another secret, API key or CA file; what is null stays. Where one cannot be used, nothing is
     * replaced.
     *
     * @param secret the new secret, or null
     * @param apiKey the new API key, or null
     * @param caFile the new file of the authority, or null
     * @throws LogfluxException where one of them cannot be used
     */
    public void rotate(Secret secret, String apiKey, java.nio.file.Path caFile) {
        if (secret == null && apiKey == null && caFile == null) {
            throw new SettingsException("give secret, apiKey or caFile");
        }
        Library.need();
        try {
            String file = caFile == null ? null : caFile.toString();
            Native.clientRotate(number, secret == null ? 0 : secret.handle.number, apiKey, file);
        } finally {
            java.lang.ref.Reference.reachabilityFence(secret);
        }
    }

    @Override
    public String toString() {
        return number == 0 ? "Client { no native library }" : Native.clientDescribe(number);
    }

    /** Tells the native half of a client that is gone. */
    private static final class Gone implements Runnable {
        private final int number;
        private volatile boolean used = true;
        private Cleaner.Cleanable cleanable;

        Gone(int number) {
            this.number = number;
        }

        @Override
        public void run() {
            Native.clientRelease(number, used);
        }
    }

    /**
     * Logs a message of the level emergency. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public void emergency(String message) {
        log(Level.EMERGENCY, message);
    }

    /**
     * Logs a message of the level emergency with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public void emergency(String message, Throwable thrown) {
        log(Level.EMERGENCY, message, null, thrown);
    }

    /**
     * Logs a message of the level emergency with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public void emergency(String message, Map<String, ?> fields) {
        log(Level.EMERGENCY, message, fields, null);
    }

    /**
     * Logs a message of the level alert. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public void alert(String message) {
        log(Level.ALERT, message);
    }

    /**
     * Logs a message of the level alert with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public void alert(String message, Throwable thrown) {
        log(Level.ALERT, message, null, thrown);
    }

    /**
     * Logs a message of the level alert with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public void alert(String message, Map<String, ?> fields) {
        log(Level.ALERT, message, fields, null);
    }

    /**
     * Logs a message of the level critical. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public void critical(String message) {
        log(Level.CRITICAL, message);
    }

    /**
     * Logs a message of the level critical with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public void critical(String message, Throwable thrown) {
        log(Level.CRITICAL, message, null, thrown);
    }

    /**
     * Logs a message of the level critical with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public void critical(String message, Map<String, ?> fields) {
        log(Level.CRITICAL, message, fields, null);
    }

    /**
     * Logs a message of the level error. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public void error(String message) {
        log(Level.ERROR, message);
    }

    /**
     * Logs a message of the level error with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public void error(String message, Throwable thrown) {
        log(Level.ERROR, message, null, thrown);
    }

    /**
     * Logs a message of the level error with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public void error(String message, Map<String, ?> fields) {
        log(Level.ERROR, message, fields, null);
    }

    /**
     * Logs a message of the level warning. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public void warning(String message) {
        log(Level.WARNING, message);
    }

    /**
     * Logs a message of the level warning with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public void warning(String message, Throwable thrown) {
        log(Level.WARNING, message, null, thrown);
    }

    /**
     * Logs a message of the level warning with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public void warning(String message, Map<String, ?> fields) {
        log(Level.WARNING, message, fields, null);
    }

    /**
     * Logs a message of the level notice. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public void notice(String message) {
        log(Level.NOTICE, message);
    }

    /**
     * Logs a message of the level notice with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public void notice(String message, Throwable thrown) {
        log(Level.NOTICE, message, null, thrown);
    }

    /**
     * Logs a message of the level notice with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public void notice(String message, Map<String, ?> fields) {
        log(Level.NOTICE, message, fields, null);
    }

    /**
     * Logs a message of the level info. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public void info(String message) {
        log(Level.INFO, message);
    }

    /**
     * Logs a message of the level info with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public void info(String message, Throwable thrown) {
        log(Level.INFO, message, null, thrown);
    }

    /**
     * Logs a message of the level info with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public void info(String message, Map<String, ?> fields) {
        log(Level.INFO, message, fields, null);
    }

    /**
     * Logs a message of the level debug. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public void debug(String message) {
        log(Level.DEBUG, message);
    }

    /**
     * Logs a message of the level debug with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public void debug(String message, Throwable thrown) {
        log(Level.DEBUG, message, null, thrown);
    }

    /**
     * Logs a message of the level debug with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public void debug(String message, Map<String, ?> fields) {
        log(Level.DEBUG, message, fields, null);
    }
}
