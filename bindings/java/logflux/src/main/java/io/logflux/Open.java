package io.logflux;

import java.util.Collection;
import java.util.List;

/** Opens entries with one secret. An {@link Opener} remembers keys, and so costs fewer derivations. */
public final class Open {
    private Open() {}

    /**
     * Opens one entry whose message is text.
     *
     * @param json the entry
     * @param secret the secret
     * @return its message
     * @throws LogfluxException where it is no entry, the secret does not open it, or it is no text
     */
    public static String open(String json, String secret) {
        return new Opener(Secret.of(secret)).open(json);
    }

    /**
     * Opens many entries on all cores.
     *
     * @param entries each an {@link Entry}, or JSON as {@code String} or {@code byte[]}
     * @param secret the secret
     * @return their messages, in their order
     * @throws LogfluxException the first where one was not opened
     */
    public static List<String> openMany(Collection<?> entries, String secret) {
        return new Opener(Secret.of(secret)).openMany(entries);
    }
}
