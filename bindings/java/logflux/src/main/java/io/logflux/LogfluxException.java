package io.logflux;

/** Everything that LogFlux throws is one. None holds a secret, a message or a key. */
public class LogfluxException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Where an entry failed. */
    private final String stage;
    /** Which field it was. */
    private final String field;

    LogfluxException(String message) {
        this(message, "", "");
    }

    LogfluxException(String message, Throwable cause) {
        super(message, cause);
        this.stage = null;
        this.field = null;
    }

    LogfluxException(String message, String stage, String field) {
        super(message);
        this.stage = stage.isEmpty() ? null : stage;
        this.field = field.isEmpty() ? null : field;
    }

    /**
     * Where an entry failed, in the words of the test vectors.
     *
     * @return {@code json}, {@code field} and the like, or null
     */
    public String stage() {
        return stage;
    }

    /**
     * Which field of an entry it was, by its JSON name.
     *
     * @return the name, or null
     */
    public String field() {
        return field;
    }
}
