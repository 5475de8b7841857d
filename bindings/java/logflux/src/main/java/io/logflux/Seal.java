package io.logflux;

/** Seals single messages. It costs a whole derivation, tens of milliseconds; a {@link Sealer} spends fewer. */
public final class Seal {
    private Seal() {}

    /**
     * Seals one message under a salt and a key of its own, in mode 1, for the host's name, now.
     *
     * @param message its text
     * @param secret the secret
     * @param level its level
     * @return the entry
     */
    public static Entry seal(String message, String secret, Level level) {
        return seal(message, secret, level, null, Mode.PBKDF2);
    }

    /**
     * Seals one message under a salt and a key of its own.
     *
     * @param message its text
     * @param secret the secret
     * @param level its level
     * @param node the sender's name; null is the host's
     * @param mode the mode
     * @return the entry
     */
    public static Entry seal(String message, String secret, Level level, String node, Mode mode) {
        return new Sealer(Secret.of(secret), node, mode, KeyPolicy.unique()).seal(message, level);
    }
}
