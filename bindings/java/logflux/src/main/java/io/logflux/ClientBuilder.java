package io.logflux;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Sets a client up. What is not set, or set to null, is what the {@code LOGFLUX_…} variables say, or else the
 * default. The bounds and defaults are those of every language; a value out of them is an error of {@link #open}
 * that begins with the setting's name.
 */
public final class ClientBuilder {
    private final Map<String, String> given = new LinkedHashMap<>();
    private Secret secret;
    private KeyPolicy policy;
    Consumer<Map<String, Long>> onDrop;
    Consumer<String> onNotice;

    ClientBuilder() {}

    /**
     * Any setting as text, as the variables have it: for configuration files.
     *
     * @param name its name, such as {@code queueSize}
     * @param value its value, such as {@code 5s}; null leaves it out
     * @return this builder
     * @throws SettingsException where there is no such setting, or the text is empty
     */
    public ClientBuilder setting(String name, String value) {
        if (value == null) {
            given.remove(name);
            return this;
        }
        if (name.equals("secret")) {
            return secret(value);
        }
        if (value.isEmpty()) {
            throw new SettingsException(name + ": must not be empty");
        }
        if (!Text.isWellFormed(value)) {
            throw new SettingsException(name + ": holds half a surrogate pair");
        }
        given.put(name, value);
        return this;
    }

    /**
     * The API key.
     *
     * @param value lf_ and 32 letters or digits
     * @return this builder
     * @throws SettingsException where it is null: another's key must not stand in for it
     */
    public ClientBuilder apiKey(String value) {
        if (value == null) {
            throw new SettingsException("apiKey: is null: give it, or leave it out for the LOGFLUX_… variables");
        }
        return setting("apiKey", value);
    }

    /**
     * The secret.
     *
     * @param value text that is not blank
     * @return this builder
     * @throws SecretException if it is blank or not valid: the secret of the variables does not take its place
     */
    public ClientBuilder secret(String value) {
        return secret(Library.isLoaded() ? Secret.of(value) : null);
    }

    /**
     * The secret.
     *
     * @param value the secret; null leaves it out
     * @return this builder
     */
    public ClientBuilder secret(Secret value) {
        this.secret = value;
        return this;
    }

    /**
     * How key derivations are spent in modes 1 to 4.
     *
     * @param value the policy; null leaves it out
     * @return this builder
     */
    public ClientBuilder keyPolicy(KeyPolicy value) {
        this.policy = value;
        return setting("keyPolicy", value == null ? null : value.name);
    }

    /**
     * Is told of drops by their reasons, once a second at most, on a thread of its own.
     *
     * @param callback takes how many more were dropped; null for nobody
     * @return this builder
     */
    public ClientBuilder onDrop(Consumer<Map<String, Long>> callback) {
        this.onDrop = callback;
        return this;
    }

    /**
     * Is told every sentence that would be a line on stderr, on a thread of its own.
     *
     * @param callback takes the sentence; null for nobody
     * @return this builder
     */
    public ClientBuilder onNotice(Consumer<String> callback) {
        this.onNotice = callback;
        return this;
    }

    /**
     * The ingest API, an https:// URL without the path of a call.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder serverUrl(String value) {
        return setting("serverUrl", value);
    }

    /**
     * The sender’s name: 1 to 255 characters without control characters; the host’s by default.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder node(String value) {
        return setting("node", value);
    }

    /**
     * The proxy that requests go through; none is a direct connection.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder proxy(String value) {
        return setting("proxy", value);
    }

    /**
     * How long one request may take.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder httpTimeout(Duration value) {
        return setting("httpTimeout", value == null ? null : seconds(value));
    }

    /**
     * How many requests may be in flight at once.
     *
     * @param value the value
     * @return this builder
     */
    public ClientBuilder maxInFlight(int value) {
        return setting("maxInFlight", Integer.toString(value));
    }

    /**
     * How often a request is sent again after its first failure, where there is no spool.
     *
     * @param value the value
     * @return this builder
     */
    public ClientBuilder maxRetries(int value) {
        return setting("maxRetries", Integer.toString(value));
    }

    /**
     * The pause after the first failure, at most maxDelay.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder initialDelay(Duration value) {
        return setting("initialDelay", value == null ? null : seconds(value));
    }

    /**
     * The longest pause between two attempts.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder maxDelay(Duration value) {
        return setting("maxDelay", value == null ? null : seconds(value));
    }

    /**
     * By what the pause grows with every failure.
     *
     * @param value the value
     * @return this builder
     */
    public ClientBuilder backoffFactor(double value) {
        return setting("backoffFactor", number(value));
    }

    /**
     * How long a batch is tried at most, where there is no spool.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder retryDeadline(Duration value) {
        return setting("retryDeadline", value == null ? null : seconds(value));
    }

    /**
     * How many messages may wait in memory.
     *
     * @param value the value
     * @return this builder
     */
    public ClientBuilder queueSize(int value) {
        return setting("queueSize", Integer.toString(value));
    }

    /**
     * How many bytes of messages may wait in memory.
     *
     * @param value the value
     * @return this builder
     */
    public ClientBuilder queueBytes(long value) {
        return setting("queueBytes", Long.toString(value));
    }

    /**
     * What a logging call does when the queue is full: drop_newest, drop_oldest or block.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder whenFull(String value) {
        return setting("whenFull", value);
    }

    /**
     * How long a message may wait for others to be sent with.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder flushInterval(Duration value) {
        return setting("flushInterval", value == null ? null : seconds(value));
    }

    /**
     * The folder of a durable spool.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder spoolDir(Path value) {
        return setting("spoolDir", value == null ? null : value.toString());
    }

    /**
     * How many bytes the spool of one process may take on disk.
     *
     * @param value the value
     * @return this builder
     */
    public ClientBuilder spoolMaxBytes(long value) {
        return setting("spoolMaxBytes", Long.toString(value));
    }

    /**
     * What a full spool does: refuse or drop_oldest.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder spoolWhenFull(String value) {
        return setting("spoolWhenFull", value);
    }

    /**
     * How long a spooled entry may wait to be durable.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder syncInterval(Duration value) {
        return setting("syncInterval", value == null ? null : seconds(value));
    }

    /**
     * The encryption mode.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder mode(Mode value) {
        return setting("mode", value == null ? null : Integer.toString(value.number()));
    }

    /**
     * The least severe level that is logged.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder minLevel(Level value) {
        return setting("minLevel", value == null ? null : Integer.toString(value.number()));
    }

    /**
     * How long closing waits at the end of the process, or where no other time is given.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder closeTimeout(Duration value) {
        return setting("closeTimeout", value == null ? null : seconds(value));
    }

    /**
     * The file of the authority to trust, in PEM.
     *
     * @param value the value; null leaves it out
     * @return this builder
     */
    public ClientBuilder caFile(Path value) {
        return setting("caFile", value == null ? null : value.toString());
    }

    private static String seconds(Duration value) {
        BigDecimal whole = BigDecimal.valueOf(value.getSeconds());
        return whole.add(BigDecimal.valueOf(value.getNano(), 9)).stripTrailingZeros().toPlainString() + "s";
    }

    private static String number(double value) {
        // An exponent is part of no text.
        return Double.isFinite(value) ? new BigDecimal(value).toPlainString() : Double.toString(value);
    }

    /**
     * Opens the client, or gives another handle of one with the same settings. A secret that a command prints is
     * waited for.
     *
     * @return the client
     * @throws LogfluxException where a setting is missing or wrong
     */
    public Client open() {
        return new Client(this);
    }

    int openNative() {
        for (String name : given.keySet()) {
            if (!Settings.NAMES.contains(name)) {
                throw new SettingsException(name + ": is no setting");
            }
        }
        String[] pairs = new String[given.size() * 2];
        int next = 0;
        for (Map.Entry<String, String> pair : given.entrySet()) {
            pairs[next++] = pair.getKey();
            pairs[next++] = pair.getValue();
        }
        try {
            return Native.clientOpen(pairs, Environment.variables(), secret == null ? 0 : secret.handle.number,
                    policy == null ? Double.NaN : policy.budget, policy == null ? null : policy.bounds,
                    onDrop != null, onNotice != null);
        } finally {
            java.lang.ref.Reference.reachabilityFence(secret);
        }
    }

    /** Shows no value: a key may be among them. */
    @Override
    public String toString() {
        return "ClientBuilder" + given.keySet();
    }
}
