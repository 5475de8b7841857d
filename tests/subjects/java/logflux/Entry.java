package logflux;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** The LogFlux entry format on javax.crypto, which shares no code with LogFlux. */
public final class Entry {
    /** The JDK has neither scrypt nor Argon2, which modes 2 to 4 need. */
    public static final List<Integer> MODES = List.of(1, 128);

    private static final int PAYLOAD_MAX = 786_432;

    private final String node;
    private final long level;
    private final long mode;
    private final OffsetDateTime time;
    private byte[] iv;
    private byte[] salt;
    private byte[] payload;

    Entry(String node, long level, long mode, String timestamp, byte[] salt, byte[] iv) {
        Refused.unless(List.of(1L, 2L, 3L, 4L, 128L).contains(mode), "mode");
        int length = node.codePointCount(0, node.length());
        boolean control = node.codePoints().anyMatch(c -> Character.getType(c) == Character.CONTROL);
        Refused.unless(length >= 1 && length <= 255 && !control, "field");
        Refused.unless(level >= 1 && level <= 8, "field");
        this.time = Time.read(timestamp);
        this.node = node;
        this.level = level;
        this.mode = mode;
        this.salt = salt;
        this.iv = iv;
    }

    /** Reads an entry. */
    public static Entry parse(byte[] json) {
        Object read = Json.read(text(json, "json"));
        Refused.unless(read instanceof Map, "json");
        Map<?, ?> fields = (Map<?, ?>) read;
        String node = string(fields, "node");
        long level = integer(fields, "loglevel");
        long mode = integer(fields, "encryption_mode");
        List<String> encoded =
                List.of(string(fields, "iv"), string(fields, "salt"), string(fields, "payload"));
        Entry entry = new Entry(node, level, mode, string(fields, "timestamp"), null, null);
        entry.iv = unbase64(encoded.get(0));
        entry.salt = unbase64(encoded.get(1));
        entry.payload = unbase64(encoded.get(2));
        int length = entry.payload.length;
        Refused.unless(entry.iv.length == 12 && entry.salt.length == 32, "size");
        Refused.unless(length >= (mode == 128 ? 48 : 16) && length <= PAYLOAD_MAX, "size");
        return entry;
    }

    private static String string(Map<?, ?> fields, String name) {
        Refused.unless(fields.get(name) instanceof String, "field");
        return (String) fields.get(name);
    }

    private static long integer(Map<?, ?> fields, String name) {
        Refused.unless(fields.get(name) instanceof Json.Number n && n.isInteger(), "field");
        String digits = ((Json.Number) fields.get(name)).text();
        return digits.length() > 9 ? -1 : Long.parseLong(digits);
    }

    private static byte[] unbase64(String encoded) {
        try {
            byte[] decoded = Base64.getDecoder().decode(encoded);
            Refused.unless(Base64.getEncoder().encodeToString(decoded).equals(encoded), "base64");
            return decoded;
        } catch (IllegalArgumentException wrong) {
            throw new Refused("base64");
        }
    }

    static String text(byte[] bytes, String stage) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException wrong) {
            throw new Refused(stage);
        }
    }

    private Cipher cipher(int way, byte[] key) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(way, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, iv));
        if (mode == 128) {
            byte[] name = node.getBytes(StandardCharsets.UTF_8);
            ByteBuffer data = ByteBuffer.allocate(26 + name.length).put("logflux/128".getBytes());
            data.put((byte) level).putLong(time.toEpochSecond()).putInt(time.getNano());
            cipher.updateAAD(data.putShort((short) name.length).put(name).array());
        }
        return cipher;
    }

    /** The message. */
    public byte[] open(byte[] secret) throws GeneralSecurityException {
        byte[][] keys = Keys.of(mode, secret, salt);
        int from = keys[1].length;
        boolean same = MessageDigest.isEqual(keys[1], Arrays.copyOf(payload, from));
        Refused.unless(same, "authentication");
        try {
            byte[] message = cipher(Cipher.DECRYPT_MODE, keys[0]).doFinal(payload, from, payload.length - from);
            text(message, "utf8");
            return message;
        } catch (AEADBadTagException wrong) {
            throw new Refused("authentication");
        }
    }

    /** Seals a message into this entry, and gives its canonical form. */
    byte[] seal(byte[] secret, byte[] message) throws GeneralSecurityException {
        Refused.unless(iv.length == 12 && salt.length == 32, "size");
        Refused.unless(message.length <= PAYLOAD_MAX - (mode == 128 ? 48 : 16), "size");
        byte[][] keys = Keys.of(mode, secret, salt);
        payload = Keys.join(keys[1], cipher(Cipher.ENCRYPT_MODE, keys[0]).doFinal(message));
        Base64.Encoder base64 = Base64.getEncoder();
        return JsonWriter.write(JsonWriter.object(
                "node", node, "payload", base64.encodeToString(payload), "loglevel", level,
                "timestamp", Time.write(time),
                "encryption_mode", mode, "iv", base64.encodeToString(iv),
                "salt", base64.encodeToString(salt))).getBytes(StandardCharsets.UTF_8);
    }
}
