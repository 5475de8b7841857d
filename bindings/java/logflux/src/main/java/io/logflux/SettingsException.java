package io.logflux;

/** A setting or variable is missing or wrong; the message begins with its name. */
public final class SettingsException extends LogfluxException {
    private static final long serialVersionUID = 1;

    SettingsException(String message) {
        super(message);
    }

    SettingsException(String message, String stage, String field) {
        super(message, stage, field);
    }
}
