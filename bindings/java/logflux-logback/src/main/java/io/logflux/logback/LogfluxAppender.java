package io.logflux.logback;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import io.logflux.Client;
import io.logflux.ClientBuilder;
import io.logflux.Event;
import io.logflux.LogfluxException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Marker;
import org.slf4j.event.KeyValuePair;

/**
 * An appender that logs through LogFlux. What no element sets is what the {@code LOGFLUX_…} variables say. The MDC,
 * key-value pairs and markers become fields. It may be started again after it was stopped.
 */
public class LogfluxAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
    private final List<Setting> settings = new ArrayList<>();
    private Client client;

    /** An appender that is not started. */
    public LogfluxAppender() {}

    /** A setting in a configuration: {@code <setting><name>minLevel</name><value>info</value></setting>}. */
    public static class Setting {
        private String name;
        private String value;

        /** An empty setting. */
        public Setting() {}

        /**
         * Its name.
         *
         * @param name such as {@code minLevel}
         */
        public void setName(String name) {
            this.name = name;
        }

        /**
         * Its value.
         *
         * @param value such as {@code info}
         */
        public void setValue(String value) {
            this.value = value;
        }
    }

    /**
     * Adds a setting.
     *
     * @param setting its name and value
     */
    public void addSetting(Setting setting) {
        settings.add(setting);
    }

    /**
     * The ingest API.
     *
     * @param url an https:// URL
     */
    public void setServerUrl(String url) {
        set("serverUrl", url);
    }

    /**
     * The API key.
     *
     * @param key lf_ and 32 letters or digits
     */
    public void setApiKey(String key) {
        set("apiKey", key);
    }

    /**
     * The secret.
     *
     * @param secret its text
     */
    public void setSecret(String secret) {
        set("secret", secret);
    }

    /**
     * The sender's name.
     *
     * @param node 1 to 255 characters
     */
    public void setNode(String node) {
        set("node", node);
    }

    private void set(String name, String value) {
        Setting setting = new Setting();
        setting.name = name;
        setting.value = value;
        settings.add(setting);
    }

    @Override
    public void start() {
        if (isStarted()) {
            return;
        }
        try {
            ClientBuilder builder = Client.builder();
            for (Setting setting : settings) {
                builder.setting(setting.name, setting.value);
            }
            client = builder.open();
            super.start();
        } catch (LogfluxException e) {
            addError("LogfluxAppender logs nothing: " + e.getMessage());
        }
    }

    @Override
    public void stop() {
        super.stop();
        Client stopped = client;
        client = null;
        if (stopped != null) {
            stopped.close();
        }
    }

    private static io.logflux.Level levelOf(Level level) {
        if (level.isGreaterOrEqual(Level.ERROR)) {
            return io.logflux.Level.ERROR;
        }
        if (level.isGreaterOrEqual(Level.WARN)) {
            return io.logflux.Level.WARNING;
        }
        return level.isGreaterOrEqual(Level.INFO) ? io.logflux.Level.INFO : io.logflux.Level.DEBUG;
    }

    @Override
    protected void append(ILoggingEvent logged) {
        Client logging = client;
        if (logging == null) {
            return;
        }
        Event event = new Event(levelOf(logged.getLevel()), logged.getFormattedMessage())
                .target(logged.getLoggerName())
                .fields(logged.getMDCPropertyMap())
                .time(logged.getInstant());
        List<KeyValuePair> pairs = logged.getKeyValuePairs();
        if (pairs != null) {
            for (KeyValuePair pair : pairs) {
                event.field(pair.key, pair.value);
            }
        }
        List<Marker> markers = logged.getMarkerList();
        if (markers != null && !markers.isEmpty()) {
            event.field("markers", markers.stream().map(Marker::getName).toList());
        }
        if (logged.getThrowableProxy() instanceof ThrowableProxy thrown) {
            event.exception(thrown.getThrowable());
        } else if (logged.getThrowableProxy() != null) {
            // One that came from another machine.
            event.field("exception", ThrowableProxyUtil.asString(logged.getThrowableProxy()));
        }
        logging.log(event);
    }
}
