package io.logflux;

/** An entry was not opened: another secret, an altered entry, or no text. */
public final class OpenException extends LogfluxException {
    private static final long serialVersionUID = 1;

    OpenException(String message) {
        super(message);
    }

    OpenException(String message, String stage, String field) {
        super(message, stage, field);
    }
}
