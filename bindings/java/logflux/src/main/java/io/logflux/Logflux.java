package io.logflux;

import java.time.Duration;
import java.util.Map;

/**
 * Encrypted logs: sealed inside the application, opened only by the holder of the secret. These functions log
 * through the client of the process, which {@link #init} sets up; before that, what is logged goes nowhere.
 */
public final class Logflux {
    private static volatile Client current;
    /** What became of the messages of the client that was closed last. */
    private static volatile Stats last;

    private Logflux() {}

    /**
     * Sets the client of the process up. What is null is what the {@code LOGFLUX_…} variables say.
     *
     * @param serverUrl the ingest API
     * @param node the sender's name
     * @param apiKey the API key
     * @param secret the secret
     * @return the client
     * @throws LogfluxException where a setting is missing or wrong
     */
    public static Client init(String serverUrl, String node, String apiKey, String secret) {
        ClientBuilder settings = Client.builder().node(node);
        if (serverUrl != null) {
            settings.serverUrl(serverUrl);
        }
        if (apiKey != null) {
            settings.apiKey(apiKey);
        }
        return init(settings.secret(secret));
    }

    /**
     * Sets the client of the process up. One that was there before is closed when it has delivered what it has.
     *
     * @param settings a builder; what it leaves out is what the {@code LOGFLUX_…} variables say
     * @return the client
     * @throws LogfluxException where a setting is missing or wrong
     */
    public static Client init(ClientBuilder settings) {
        Client made = settings.open();
        Client replaced;
        synchronized (Logflux.class) {
            replaced = current;
            current = made;
        }
        if (replaced != null) {
            retire(replaced);
        }
        return made;
    }

    /**
     * Sets the client of the process up from the {@code LOGFLUX_…} variables.
     *
     * @return the client
     * @throws LogfluxException where a variable is missing or wrong
     */
    public static Client initFromEnv() {
        return init(Client.builder());
    }

    private static void retire(Client replaced) {
        Thread thread = new Thread(() -> {
            Waiting.until(() -> {
                Stats stats = replaced.stats();
                return stats.pending() + stats.spooled() == 0;
            }, Long.MAX_VALUE);
            replaced.close(Duration.ZERO);
        }, "logflux-retire");
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * The client of the process.
     *
     * @return the client, or null before the first call of init
     */
    public static Client client() {
        return current;
    }

    /**
     * Logs a message. It never throws, and waits for nothing.
     *
     * @param level its level
     * @param message its text
     */
    public static void log(Level level, String message) {
        Client client = current;
        if (client != null) {
            client.log(level, message);
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
    public static void log(Level level, String message, Map<String, ?> fields, Throwable thrown) {
        Client client = current;
        if (client != null) {
            client.log(level, message, fields, thrown);
        }
    }

    /**
     * Flushes the client of the process; see {@link Client#flush(Duration)}.
     *
     * @param timeout how long at most
     * @return whether everything is delivered; true where there is no client
     */
    public static boolean flush(Duration timeout) {
        Client client = current;
        return client == null || client.flush(timeout);
    }

    /**
     * Closes the client of the process, and forgets it.
     *
     * @param timeout how long it may take
     * @return whether everything is delivered; true where there is no client
     */
    public static boolean close(Duration timeout) {
        Client closing;
        synchronized (Logflux.class) {
            closing = current;
            current = null;
        }
        if (closing == null) {
            return true;
        }
        boolean delivered = closing.close(timeout);
        last = closing.stats();
        return delivered;
    }

    /**
     * What became of all messages of the client of the process, closed or not.
     *
     * @return the counts, or null where there was no client
     */
    public static Stats stats() {
        Client client = current;
        return client == null ? last : client.stats();
    }

    /**
     * Goes on with another secret, API key or CA file; see {@link Client#rotate}.
     *
     * @param secret the new secret, or null
     * @param apiKey the new API key, or null
     * @param caFile the new file of the authority, or null
     */
    public static void rotate(Secret secret, String apiKey, java.nio.file.Path caFile) {
        Client client = current;
        if (client == null) {
            throw new LogfluxException("logflux is not initialised: call Logflux.init first");
        }
        client.rotate(secret, apiKey, caFile);
    }

    /** Tells LogFlux that this process was restored from a snapshot, and that other copies of it may run. */
    public static void afterRestore() {
        Library.need();
        Native.afterRestore();
    }

    /**
     * Logs a message of the level emergency. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public static void emergency(String message) {
        log(Level.EMERGENCY, message);
    }

    /**
     * Logs a message of the level emergency with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public static void emergency(String message, Throwable thrown) {
        log(Level.EMERGENCY, message, null, thrown);
    }

    /**
     * Logs a message of the level emergency with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public static void emergency(String message, Map<String, ?> fields) {
        log(Level.EMERGENCY, message, fields, null);
    }

    /**
     * Logs a message of the level alert. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public static void alert(String message) {
        log(Level.ALERT, message);
    }

    /**
     * Logs a message of the level alert with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public static void alert(String message, Throwable thrown) {
        log(Level.ALERT, message, null, thrown);
    }

    /**
     * Logs a message of the level alert with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public static void alert(String message, Map<String, ?> fields) {
        log(Level.ALERT, message, fields, null);
    }

    /**
     * Logs a message of the level critical. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public static void critical(String message) {
        log(Level.CRITICAL, message);
    }

    /**
     * Logs a message of the level critical with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public static void critical(String message, Throwable thrown) {
        log(Level.CRITICAL, message, null, thrown);
    }

    /**
     * Logs a message of the level critical with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public static void critical(String message, Map<String, ?> fields) {
        log(Level.CRITICAL, message, fields, null);
    }

    /**
     * Logs a message of the level error. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public static void error(String message) {
        log(Level.ERROR, message);
    }

    /**
     * Logs a message of the level error with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public static void error(String message, Throwable thrown) {
        log(Level.ERROR, message, null, thrown);
    }

    /**
     * Logs a message of the level error with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public static void error(String message, Map<String, ?> fields) {
        log(Level.ERROR, message, fields, null);
    }

    /**
     * Logs a message of the level warning. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public static void warning(String message) {
        log(Level.WARNING, message);
    }

    /**
     * Logs a message of the level warning with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public static void warning(String message, Throwable thrown) {
        log(Level.WARNING, message, null, thrown);
    }

    /**
     * Logs a message of the level warning with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public static void warning(String message, Map<String, ?> fields) {
        log(Level.WARNING, message, fields, null);
    }

    /**
     * Logs a message of the level notice. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public static void notice(String message) {
        log(Level.NOTICE, message);
    }

    /**
     * Logs a message of the level notice with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public static void notice(String message, Throwable thrown) {
        log(Level.NOTICE, message, null, thrown);
    }

    /**
     * Logs a message of the level notice with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public static void notice(String message, Map<String, ?> fields) {
        log(Level.NOTICE, message, fields, null);
    }

    /**
     * Logs a message of the level info. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public static void info(String message) {
        log(Level.INFO, message);
    }

    /**
     * Logs a message of the level info with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public static void info(String message, Throwable thrown) {
        log(Level.INFO, message, null, thrown);
    }

    /**
     * Logs a message of the level info with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public static void info(String message, Map<String, ?> fields) {
        log(Level.INFO, message, fields, null);
    }

    /**
     * Logs a message of the level debug. It never throws, and waits for nothing.
     *
     * @param message its text
     */
    public static void debug(String message) {
        log(Level.DEBUG, message);
    }

    /**
     * Logs a message of the level debug with an exception.
     *
     * @param message its text
     * @param thrown the exception, or null
     */
    public static void debug(String message, Throwable thrown) {
        log(Level.DEBUG, message, null, thrown);
    }

    /**
     * Logs a message of the level debug with fields.
     *
     * @param message its text
     * @param fields names and values
     */
    public static void debug(String message, Map<String, ?> fields) {
        log(Level.DEBUG, message, fields, null);
    }
}
