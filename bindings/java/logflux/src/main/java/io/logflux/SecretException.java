package io.logflux;

/** A secret is not valid, or cannot be read. */
public final class SecretException extends LogfluxException {
    private static final long serialVersionUID = 1;

    SecretException(String message) {
        super(message);
    }

    SecretException(String message, String stage, String field) {
        super(message, stage, field);
    }
}
