package logflux;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;

/** Seals messages. */
public final class Sealer {
    private static final SecureRandom RANDOM = new SecureRandom();
    /** The half of the salt that this process has in every entry of mode 128. */
    private static final byte[] EPOCH = fresh(16);

    /** What an entry says in clear. */
    public record Metadata(String node, long level, long mode, String timestamp) {}

    private static byte[] fresh(int length) {
        byte[] drawn = new byte[length];
        RANDOM.nextBytes(drawn);
        return drawn;
    }

    /** The canonical entry of a message, with a fresh salt and iv. */
    public static byte[] seal(byte[] secret, byte[] message, Metadata about) throws GeneralSecurityException {
        byte[] salt = fresh(32);
        if (about.mode == 128) {
            System.arraycopy(EPOCH, 0, salt, 0, 16);
        }
        return sealWith(secret, message, about, salt, fresh(12));
    }

    /** Seals with a salt and iv that are given, for test vectors only. */
    public static byte[] sealWith(byte[] secret, byte[] message, Metadata about, byte[] salt, byte[] iv)
            throws GeneralSecurityException {
        Entry entry = new Entry(about.node, about.level, about.mode, about.timestamp, salt, iv);
        return entry.seal(secret, message);
    }

    private Sealer() {}
}
