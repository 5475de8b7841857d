package io.logflux;

import java.lang.ref.Reference;
import java.time.Instant;

/** Several secrets, the newest first, so that old entries stay readable after a rotation. */
public final class Keyring {
    final Handle handle;
    private final int size;

    /**
     * A keyring of secrets.
     *
     * @param secrets the newest first, at least one
     * @throws SecretException if no secret is given
     */
    public Keyring(Secret... secrets) {
        this(secrets, new Instant[secrets.length]);
    }

    /**
     * A keyring of secrets that sealed from known times on, which spares derivations.
     *
     * @param secrets the newest first, at least one
     * @param since from when on each sealed, or null
     * @throws SecretException if no secret is given
     */
    public Keyring(Secret[] secrets, Instant[] since) {
        Library.need();
        long[] numbers = new long[secrets.length];
        String[] times = new String[secrets.length];
        for (int i = 0; i < secrets.length; i++) {
            if (secrets[i] == null) {
                throw new SecretException("secret is null");
            }
            numbers[i] = secrets[i].handle.number;
            times[i] = i < since.length && since[i] != null ? since[i].toString() : null;
        }
        this.size = secrets.length;
        this.handle = new Handle(this, Native.keyringNew(numbers, times));
        Reference.reachabilityFence(secrets);
    }

    /**
     * How many secrets it has.
     *
     * @return the number
     */
    public int size() {
        return size;
    }

    @Override
    public String toString() {
        return "Keyring([" + size + " redacted])";
    }
}
