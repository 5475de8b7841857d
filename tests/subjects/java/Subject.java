import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** A subject on the JDK: the format is Entry.java. */
public final class Subject {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final byte[] EPOCH = fresh(16);

    private static byte[] fresh(int length) {
        byte[] drawn = new byte[length];
        RANDOM.nextBytes(drawn);
        return drawn;
    }

    private static byte[] hex(Map<?, ?> request, String name) {
        return HexFormat.of().parseHex((String) request.get(name));
    }

    private static long number(Map<?, ?> request, String name) {
        return Long.parseLong(((Json.Number) request.get(name)).text());
    }

    private static Entry parse(Map<?, ?> request) {
        return Entry.parse(Base64.getDecoder().decode((String) request.get("entry_b64")));
    }

    static byte[] seal(Map<?, ?> request, Map<?, ?> message, String timestamp) throws Exception {
        long mode = number(request, "mode");
        boolean given = request.containsKey("salt_hex");
        byte[] salt = given ? hex(request, "salt_hex") : fresh(32);
        if (!given && mode == 128) {
            System.arraycopy(EPOCH, 0, salt, 0, 16);
        }
        byte[] iv = given ? hex(request, "iv_hex") : fresh(12);
        String node = (String) request.get("node");
        Entry entry = new Entry(node, number(message, "loglevel"), mode, timestamp, salt, iv);
        return entry.seal(hex(request, "secret_hex"), hex(message, "message_hex"));
    }

    private static Map<String, Object> answer(Map<?, ?> request) throws Exception {
        switch ((String) request.get("op")) {
            case "hello":
                return Json.object("name", "Java javax.crypto", "version", Runtime.version().toString(),
                        "language", "Java", "modes", Entry.MODES, "key_policy", "unique",
                        "operations", List.of("open", "parse", "seal", "derive", "ship"));
            case "open":
                byte[] message = parse(request).open(hex(request, "secret_hex"));
                return Json.object("message_hex", HexFormat.of().formatHex(message));
            case "parse":
                parse(request);
                return Json.object();
            case "derive":
                byte[] salt = hex(request, "salt_hex");
                byte[] key = Keys.of(number(request, "mode"), hex(request, "secret_hex"), salt)[0];
                return Json.object("key_hex", HexFormat.of().formatHex(key));
            case "seal":
                byte[] entry = seal(request, request, (String) request.get("timestamp"));
                return Json.object("entry_b64", Base64.getEncoder().encodeToString(entry));
            case "ship":
                Shipment.ship(request);
                return Json.object();
            case "flush":
                Shipment.flush(Instant.now().plusMillis(number(request, "timeout_ms")));
                return Json.object();
            default:
                return Json.object();
        }
    }

    public static void main(String[] args) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line; (line = lines.readLine()) != null;) {
            Map<?, ?> request = (Map<?, ?>) Json.read(line);
            Map<String, Object> answer = Json.object("id", request.get("id"));
            try {
                answer.put("ok", answer(request));
            } catch (Refused refused) {
                answer.put("error", Json.object("stage", refused.stage, "message", refused.getMessage()));
            }
            out.println(Json.write(answer));
            if (request.get("op").equals("stop")) {
                System.exit(0);
            }
        }
    }
}
