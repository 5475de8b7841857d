package io.logflux;

/**
 * What a flush or a close found.
 *
 * @param dropped messages that were dropped since the client was opened
 * @param left messages that are still on their way
 */
public record FlushResult(long dropped, long left) {
    /**
     * Whether every message is delivered, or durable in the spool.
     *
     * @return true where nothing was dropped, and nothing is left
     */
    public boolean isComplete() {
        return dropped == 0 && left == 0;
    }
}
