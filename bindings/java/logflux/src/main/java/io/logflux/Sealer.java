package io.logflux;

import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/** Seals messages under one secret, in one mode, spending derivations by a key policy. Threads may share it. */
public final class Sealer {
    private final Handle handle;

    /**
     * A sealer for the host's name, in mode 1.
     *
     * @param secret the secret
     */
    public Sealer(Secret secret) {
        this(secret, null, Mode.PBKDF2, KeyPolicy.adaptive());
    }

    /**
     * A sealer.
     *
     * @param secret the secret
     * @param node the sender's name; null is the host's
     * @param mode the mode
     * @param policy how derivations are spent
     * @throws LogfluxException where one of them cannot be used
     */
    public Sealer(Secret secret, String node, Mode mode, KeyPolicy policy) {
        Library.need();
        if (node != null && !Text.isWellFormed(node)) {
            throw new EntryException("node holds half a surrogate pair", "field", "node");
        }
        String number = Integer.toString(mode.number());
        this.handle = new Handle(this,
                Native.sealerNew(secret.handle.number, node, number, policy.name, policy.budget, policy.bounds));
        Reference.reachabilityFence(secret);
    }

    /**
     * Seals a message of now.
     *
     * @param message its text
     * @param level its level
     * @return the entry
     * @throws SealException where the text is too long, or no Unicode
     */
    public Entry seal(String message, Level level) {
        return seal(bytes(message), level, null);
    }

    /**
     * Seals a message. The first waits for a key, and later ones where the key policy says so.
     *
     * @param message its bytes
     * @param level its level
     * @param time its time; null is now
     * @return the entry
     * @throws SealException where the message is too long
     */
    public Entry seal(byte[] message, Level level, Instant time) {
        return sealAt(message, level, time == null ? null : time.toString());
    }

    Entry sealAt(byte[] message, Level level, String time) {
        try {
            return new Entry(Native.sealerSeal(handle.number, message, level.number(), time));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    static byte[] bytes(String message) {
        if (!Text.isWellFormed(message)) {
            throw new SealException("message holds half a surrogate pair, which UTF-8 cannot: "
                    + "encode it yourself, and pass bytes", "utf8", "");
        }
        return message.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * How many keys were derived from the secret.
     *
     * @return the number
     */
    public long derivations() {
        try {
            return Native.sealerStats(handle.number)[2];
        } finally {
            Reference.reachabilityFence(this);
        }
    }
}
