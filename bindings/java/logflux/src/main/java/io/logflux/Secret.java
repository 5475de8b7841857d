package io.logflux;

import java.util.Arrays;

/**
 * The passphrase or generated key from which every key is derived: its UTF-8 exactly as given. It shows nothing of
 * itself, and its memory is zeroed at its end.
 */
public final class Secret {
    final Handle handle;

    private Secret(long number) {
        this.handle = new Handle(this, number);
    }

    /**
     * A secret of text.
     *
     * @param text not blank
     * @return the secret
     * @throws SecretException if it is blank or not valid
     */
    public static Secret of(String text) {
        if (text == null) {
            throw new SecretException("secret is null: give it, or leave it out for the LOGFLUX_… variables");
        }
        if (!Text.isWellFormed(text)) {
            throw new SecretException("secret holds half a surrogate pair, which UTF-8 cannot");
        }
        byte[] utf8 = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        try {
            return of(utf8);
        } finally {
            Arrays.fill(utf8, (byte) 0);
        }
    }

    /**
     * A secret of bytes, which are copied.
     *
     * @param utf8 UTF-8 that is not blank
     * @return the secret
     * @throws SecretException if it is blank or not valid
     */
    public static Secret of(byte[] utf8) {
        Library.need();
        if (utf8 == null) {
            throw new SecretException("secret is null: give it, or leave it out for the LOGFLUX_… variables");
        }
        return new Secret(Native.secretNew(utf8));
    }

    /**
     * A new secret of 256 bits, as 64 hexadecimal digits.
     *
     * @return the secret
     */
    public static Secret generate() {
        Library.need();
        return new Secret(Native.secretGenerate());
    }

    /**
     * The secret that LOGFLUX_SECRET, LOGFLUX_SECRET_FILE or LOGFLUX_SECRET_COMMAND names. A command is waited for.
     *
     * @return the secret
     * @throws SecretException where it cannot be had
     */
    public static Secret fromEnv() {
        Library.need();
        return new Secret(Native.secretFromEnv(Environment.variables()));
    }

    /**
     * The secret itself.
     *
     * @return its text
     */
    public String expose() {
        try {
            return Text.of(Native.secretExpose(handle.number));
        } finally {
            java.lang.ref.Reference.reachabilityFence(this);
        }
    }

    @Override
    public String toString() {
        return "Secret([redacted])";
    }
}
