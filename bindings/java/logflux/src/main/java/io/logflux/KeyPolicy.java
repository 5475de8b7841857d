package io.logflux;

import java.time.Duration;

/** How key derivations are spent in modes 1 to 4. */
public final class KeyPolicy {
    final String name;
    final double budget;
    final long[] bounds;

    private KeyPolicy(String name, double budget, long[] bounds) {
        this.name = name;
        this.budget = budget;
        this.bounds = bounds;
    }

    /**
     * Every entry has a salt and a key of its own.
     *
     * @return the policy
     */
    public static KeyPolicy unique() {
        return new KeyPolicy("unique", Double.NaN, null);
    }

    /**
     * A key an entry while derivation keeps up, and shared keys above; the default.
     *
     * @return the policy
     */
    public static KeyPolicy adaptive() {
        return new KeyPolicy("adaptive", Double.NaN, null);
    }

    /**
     * As {@link #adaptive()} with bounds.
     *
     * @param budget the part of one core that derivation may use, above 0 and at most 1
     * @param maxEntries how many entries may share a key
     * @param maxAge how long entries may share a key
     * @return the policy, which is checked where it is used
     */
    public static KeyPolicy adaptive(double budget, long maxEntries, Duration maxAge) {
        return new KeyPolicy("adaptive", budget, bounds(maxEntries, maxAge));
    }

    /**
     * Entries share a key within these bounds.
     *
     * @param maxEntries how many entries may share a key
     * @param maxAge how long entries may share a key
     * @return the policy, which is checked where it is used
     */
    public static KeyPolicy bounded(long maxEntries, Duration maxAge) {
        return new KeyPolicy("bounded", Double.NaN, bounds(maxEntries, maxAge));
    }

    private static long[] bounds(long maxEntries, Duration maxAge) {
        return new long[] {Math.max(maxEntries, 0), Waiting.nanoseconds(maxAge)};
    }

    @Override
    public String toString() {
        return "KeyPolicy." + name;
    }
}
