package io.logflux;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What became of all messages of a client: accepted = delivered + dropped + pending + spooled, at every read.
 *
 * @param accepted messages that were logged
 * @param delivered entries that the server has taken
 * @param dropped messages that were dropped, by the reason
 * @param pending messages that wait in memory
 * @param spooled entries that are durable in the spool
 * @param requests requests that were sent
 * @param retries requests among them after a failure
 * @param bytes bytes of request bodies
 * @param deadLetters entries in the dead-letter file
 * @param derivations keys that were derived
 * @param lastError what failed last, or null
 */
public record Stats(long accepted, long delivered, Map<String, Long> dropped, long pending, long spooled,
        long requests, long retries, long bytes, long deadLetters, long derivations, String lastError) {
    /** The reasons, as the native half numbers them. */
    private static final class Reasons {
        static final String[] NAMES = Native.dropReasons();
    }

    static Stats of(int client) {
        return of(Native.clientStats(client), Native.clientLastError(client));
    }

    private static Stats of(long[] n, String lastError) {
        final int others = 9;
        Map<String, Long> dropped = new LinkedHashMap<>();
        for (int i = others; i < n.length; i++) {
            if (n[i] > 0) {
                dropped.put(Reasons.NAMES[i - others], n[i]);
            }
        }
        return new Stats(n[0], n[1], Collections.unmodifiableMap(dropped), n[2], n[3], n[4], n[5], n[6], n[7], n[8],
                lastError);
    }

    /** Of a client without a native half. */
    static Stats refused(long messages) {
        Map<String, Long> dropped = messages == 0 ? Map.of() : Map.of("no native library", messages);
        return new Stats(messages, 0, dropped, 0, 0, 0, 0, 0, 0, 0, "no native library");
    }

    /**
     * How many messages were dropped, whatever the reason.
     *
     * @return the sum
     */
    public long droppedTotal() {
        return dropped.values().stream().mapToLong(Long::longValue).sum();
    }
}
