package logflux;

import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The keys of entries on javax.crypto, which shares no code with LogFlux. */
public final class Keys {
    private static final Map<String, byte[]> KNOWN = new HashMap<>();

    private static byte[] hmac(byte[] key, byte[]... parts) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        Arrays.stream(parts).forEach(mac::update);
        return mac.doFinal();
    }

    /** PBKDF2 by hand: the JDK's takes the secret as characters. */
    private static byte[] pbkdf2(byte[] secret, byte[] salt) throws GeneralSecurityException {
        String name = HexFormat.of().formatHex(secret) + " " + HexFormat.of().formatHex(salt);
        if (!KNOWN.containsKey(name)) {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            mac.update(salt);
            byte[] u = mac.doFinal(new byte[] {0, 0, 0, 1});
            byte[] key = u.clone();
            for (int n = 1; n < 600_000; n++) {
                mac.update(u);
                mac.doFinal(u, 0);
                for (int i = 0; i < key.length; i++) {
                    key[i] ^= u[i];
                }
            }
            KNOWN.put(name, key);
        }
        return KNOWN.get(name);
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        Arrays.stream(parts).forEach(joined::writeBytes);
        return joined.toByteArray();
    }

    /** The key of an entry, and its commitment, which is empty but in mode 128. */
    static byte[][] of(long mode, byte[] secret, byte[] salt) throws GeneralSecurityException {
        boolean blank = Entry.text(secret, null).codePoints().allMatch(Keys::isWhiteSpace);
        Refused.unless(!blank && Entry.MODES.contains((int) mode), null);
        if (mode != 128) {
            return new byte[][] {pbkdf2(secret, salt), {}};
        }
        byte[] epochSalt = join("logflux/128/epoch".getBytes(), Arrays.copyOf(salt, 16));
        byte[] epoch = pbkdf2(secret, epochSalt);
        byte[] info = join("logflux/128/entry".getBytes(), Arrays.copyOfRange(salt, 16, 32));
        byte[] key = hmac(epoch, info, new byte[] {1}); // HKDF-Expand, RFC 5869
        return new byte[][] {key, hmac(epoch, key, info, new byte[] {2})};
    }

    /** The key of the entries with a salt, for test vectors only. */
    public static byte[] derive(long mode, byte[] secret, byte[] salt) throws GeneralSecurityException {
        return of(mode, secret, salt)[0];
    }

    private static boolean isWhiteSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    private Keys() {}
}
