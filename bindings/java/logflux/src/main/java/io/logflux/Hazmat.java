package io.logflux;

import java.lang.ref.Reference;

/** <strong>For test vectors, and for nothing else</strong>: a salt and an iv that are not drawn break the sealing. */
public final class Hazmat {
    private Hazmat() {}

    /**
     * Seals with the salt and the iv that are given.
     *
     * @param message its bytes
     * @param secret the secret
     * @param salt 32 bytes
     * @param iv 12 bytes
     * @param node the sender's name
     * @param level its level
     * @param timestamp its time in RFC 3339
     * @param mode the mode's number
     * @return the entry
     */
    public static Entry seal(byte[] message, Secret secret, byte[] salt, byte[] iv, String node, int level,
            String timestamp, int mode) {
        Library.need();
        try {
            return new Entry(Native.hazmatSeal(message, secret.handle.number, salt, iv, node, level, timestamp,
                    Integer.toString(mode)));
        } finally {
            Reference.reachabilityFence(secret);
        }
    }

    /**
     * The 32 bytes that key the cipher of an entry with this salt.
     *
     * @param secret the secret
     * @param salt 32 bytes
     * @param mode the mode's number
     * @return the key
     */
    public static byte[] deriveKey(Secret secret, byte[] salt, int mode) {
        Library.need();
        try {
            return Native.hazmatDeriveKey(secret.handle.number, salt, Integer.toString(mode));
        } finally {
            Reference.reachabilityFence(secret);
        }
    }
}
