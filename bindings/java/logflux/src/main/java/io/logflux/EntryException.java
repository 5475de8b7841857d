package io.logflux;

/** An entry, or a field of one, is not valid. */
public final class EntryException extends LogfluxException {
    private static final long serialVersionUID = 1;

    EntryException(String message) {
        super(message);
    }

    EntryException(String message, String stage, String field) {
        super(message, stage, field);
    }
}
