package io.logflux;

/** What travels for one message: a JSON object of seven valid fields. */
public final class Entry {
    private final String json;

    Entry(byte[] canonical) {
        this.json = Text.of(canonical);
    }

    /**
     * Reads an entry strictly.
     *
     * @param json its JSON
     * @return the entry
     * @throws EntryException if it is not a valid entry
     */
    public static Entry parse(String json) {
        return parse(bytes(json));
    }

    /**
     * Reads an entry strictly.
     *
     * @param json its JSON in UTF-8
     * @return the entry
     * @throws EntryException if it is not a valid entry
     */
    public static Entry parse(byte[] json) {
        Library.need();
        return new Entry(Native.entryParse(given(json)));
    }

    static byte[] given(byte[] json) {
        if (json == null) {
            throw new EntryException("the entry is null", "json", "");
        }
        return json;
    }

    static byte[] bytes(String json) {
        if (json == null) {
            throw new EntryException("the entry is null", "json", "");
        }
        if (!Text.isWellFormed(json)) {
            throw new EntryException("the text holds half a surrogate pair", "json", "");
        }
        return json.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    /**
     * The canonical JSON, the one form that every implementation writes.
     *
     * @return the JSON
     */
    public String toJson() {
        return json;
    }

    /** As {@link #toJson}. */
    @Override
    public String toString() {
        return json;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Entry && ((Entry) other).json.equals(json);
    }

    @Override
    public int hashCode() {
        return json.hashCode();
    }
}
