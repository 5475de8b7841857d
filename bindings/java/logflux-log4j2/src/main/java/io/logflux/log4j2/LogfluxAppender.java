package io.logflux.log4j2;

import io.logflux.Client;
import io.logflux.ClientBuilder;
import io.logflux.Event;
import io.logflux.LogfluxException;
import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.Appender;
import org.apache.logging.log4j.core.Core;
import org.apache.logging.log4j.core.Filter;
import org.apache.logging.log4j.core.Layout;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;
import org.apache.logging.log4j.core.config.plugins.Plugin;
import org.apache.logging.log4j.core.config.plugins.PluginBuilderFactory;

/**
 * The plugin {@code Logflux}: an appender that logs through LogFlux. What no {@code Property} sets is what the
 * {@code LOGFLUX_…} variables say. The thread context and the marker become fields.
 */
@Plugin(name = "Logflux", category = Core.CATEGORY_NAME, elementType = Appender.ELEMENT_TYPE, printObject = true)
public final class LogfluxAppender extends AbstractAppender {
    private final Client client;

    private LogfluxAppender(String name, Filter filter, Layout<? extends Serializable> layout,
            boolean ignoreExceptions, Property[] properties, Client client) {
        super(name, filter, layout, ignoreExceptions, properties);
        this.client = client;
    }

    /** Builds an appender from a configuration. */
    public static class Builder extends AbstractAppender.Builder<Builder>
            implements org.apache.logging.log4j.core.util.Builder<LogfluxAppender> {
        /** A builder that nothing is set in. */
        public Builder() {}

        @Override
        public LogfluxAppender build() {
            try {
                ClientBuilder settings = Client.builder();
                for (Property property : getPropertyArray()) {
                    settings.setting(property.getName(), property.getValue());
                }
                // Properties are settings; what the appender shows of itself has none.
                return new LogfluxAppender(getName(), getFilter(), getLayout(), isIgnoreExceptions(), Property.EMPTY_ARRAY,
                        settings.open());
            } catch (LogfluxException e) {
                LOGGER.error("the appender {} logs nothing: {}", getName(), e.getMessage());
                return null;
            }
        }
    }

    /**
     * For Log4j.
     *
     * @return a builder
     */
    @PluginBuilderFactory
    public static Builder newBuilder() {
        return new Builder();
    }

    private static io.logflux.Level levelOf(Level level) {
        if (level.isMoreSpecificThan(Level.FATAL)) {
            return io.logflux.Level.CRITICAL;
        }
        if (level.isMoreSpecificThan(Level.ERROR)) {
            return io.logflux.Level.ERROR;
        }
        if (level.isMoreSpecificThan(Level.WARN)) {
            return io.logflux.Level.WARNING;
        }
        return level.isMoreSpecificThan(Level.INFO) ? io.logflux.Level.INFO : io.logflux.Level.DEBUG;
    }

    @Override
    public void append(LogEvent logged) {
        org.apache.logging.log4j.core.time.Instant time = logged.getInstant();
        Event event = new Event(levelOf(logged.getLevel()), logged.getMessage().getFormattedMessage())
                .target(logged.getLoggerName())
                .fields(logged.getContextData().toMap())
                .exception(logged.getThrown())
                .time(Instant.ofEpochSecond(time.getEpochSecond(), time.getNanoOfSecond()));
        if (logged.getMarker() != null) {
            event.field("markers", java.util.List.of(logged.getMarker().getName()));
        }
        client.log(event);
    }

    @Override
    public boolean stop(long timeout, TimeUnit unit) {
        setStopping();
        boolean stopped = super.stop(timeout, unit, false);
        if (timeout > 0) {
            client.close(Duration.ofNanos(unit.toNanos(timeout)));
        } else {
            client.close();
        }
        setStopped();
        return stopped;
    }
}
