package io.logflux;

/** How a message is sealed: the key derivation and the cipher. */
public enum Mode {
    /** 1: PBKDF2 and AES-256-GCM, the default. */
    PBKDF2(1),
    /** 2: scrypt and AES-256-GCM. */
    SCRYPT(2),
    /** 3: Argon2id and AES-256-GCM. */
    ARGON2(3),
    /** 4: Argon2id and ChaCha20-Poly1305. */
    CHACHA20_ARGON2(4),
    /** 128: HKDF under a master key, and AES-256-GCM: a key an entry, at full speed. */
    HKDF(128);

    private final int number;

    Mode(int number) {
        this.number = number;
    }

    /**
     * The number that an entry has for it.
     *
     * @return 1, 2, 3, 4 or 128
     */
    public int number() {
        return number;
    }

    /**
     * The mode of a number.
     *
     * @param number 1, 2, 3, 4 or 128
     * @return the mode
     * @throws SettingsException where there is no such mode
     */
    public static Mode of(int number) {
        for (Mode mode : values()) {
            if (mode.number == number) {
                return mode;
            }
        }
        throw new SettingsException("mode: must be 1, 2, 3, 4 or 128");
    }
}
