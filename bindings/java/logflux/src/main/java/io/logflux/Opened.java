package io.logflux;

/**
 * What became of one of many entries.
 *
 * @param bytes its message; null where it was not opened
 * @param error why it was not opened, or null
 */
public record Opened(byte[] bytes, LogfluxException error) {
    /**
     * The message.
     *
     * @return its text
     * @throws LogfluxException where it was not opened
     */
    public String text() {
        if (error != null) {
            throw error;
        }
        return Text.of(bytes);
    }
}
