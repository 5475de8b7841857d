package io.logflux;

/** Makes the exceptions of the native half. */
final class Errors {
    private Errors() {}

    /** Called by the native half. */
    static LogfluxException make(String kind, String stage, String field, String message) {
        switch (kind) {
            case "entry":
                return new EntryException(message, stage, field);
            case "open":
                return new OpenException(message, stage, field);
            case "seal":
                return new SealException(message, stage, field);
            case "secret":
                return new SecretException(message, stage, field);
            case "settings":
                return new SettingsException(message, stage, field);
            default:
                return new LogfluxException(message, stage, field);
        }
    }
}
