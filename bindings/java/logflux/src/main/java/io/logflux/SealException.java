package io.logflux;

/** A message was not sealed. */
public final class SealException extends LogfluxException {
    private static final long serialVersionUID = 1;

    SealException(String message) {
        super(message);
    }

    SealException(String message, String stage, String field) {
        super(message, stage, field);
    }
}
