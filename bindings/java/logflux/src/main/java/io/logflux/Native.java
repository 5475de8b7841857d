package io.logflux;

/** The native half. Every class that calls it asks {@link Library} first. */
final class Native {
    private Native() {}

    static native String version();

    static native String[] settings();

    static native String[] dropReasons();

    static native int clientOpen(String[] given, String[] environment, long secret, double budget, long[] bounds,
            boolean drops, boolean notices);

    static native boolean clientLog(int client, int level, byte[] message, long seconds, int nanoseconds);

    static native int clientMinLevel(int client);

    static native long clientCloseTimeout(int client);

    static native long clientFlushBegin(int client);

    static native long clientCloseBegin(int client, long nanoseconds);

    static native void clientRelease(int client, boolean used);

    static native void clientRotate(int client, long secret, String apiKey, String caFile);

    static native long[] clientStats(int client);

    static native String clientLastError(int client);

    static native String[] clientNotices(int client, long since);

    static native String clientDescribe(int client);

    static native boolean ticketDone(long ticket);

    static native long[] ticketAnswer(long ticket);

    static native void flushAtExit();

    static native void afterRestore();

    static native long secretNew(byte[] utf8);

    static native long secretGenerate();

    static native long secretFromEnv(String[] environment);

    static native byte[] secretExpose(long secret);

    static native long keyringNew(long[] secrets, String[] since);

    static native long sealerNew(long secret, String node, String mode, String policy, double budget, long[] bounds);

    static native byte[] sealerSeal(long sealer, byte[] message, int level, String timestamp);

    static native long[] sealerStats(long sealer);

    static native long openerNew(long keyring, int remember, int threads);

    static native byte[] entryParse(byte[] entry);

    static native byte[] openerOpen(long opener, byte[] entry, boolean asText);

    static native long openManyBegin(long opener, byte[][] entries, boolean asText);

    static native int openManyDone(long many);

    static native Object[] openManyResult(long many);

    static native byte[] hazmatSeal(byte[] message, long secret, byte[] salt, byte[] iv, String node, int level,
            String timestamp, String mode);

    static native byte[] hazmatDeriveKey(long secret, byte[] salt, String mode);

    static native void release(long number);
}
