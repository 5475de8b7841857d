import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import logflux.Client;
import logflux.Entry;
import logflux.Json;
import logflux.JsonWriter;
import logflux.Keys;
import logflux.Refused;
import logflux.Sealer;

/** A subject on the JDK: the implementation is the package logflux. */
public final class Subject {
    private static Client client;

    private static byte[] hex(Map<?, ?> request, String name) {
        return HexFormat.of().parseHex(string(request, name));
    }

    private static String string(Map<?, ?> request, String name) {
        return (String) request.get(name);
    }

    private static long number(Map<?, ?> request, String name) {
        return Long.parseLong(((Json.Number) request.get(name)).text());
    }

    private static Entry parse(Map<?, ?> request) {
        return Entry.parse(Base64.getDecoder().decode(string(request, "entry_b64")));
    }

    private static byte[] seal(Map<?, ?> request) throws Exception {
        byte[] secret = hex(request, "secret_hex");
        byte[] message = hex(request, "message_hex");
        Sealer.Metadata about = new Sealer.Metadata(string(request, "node"), number(request, "loglevel"),
                number(request, "mode"), string(request, "timestamp"));
        if (!request.containsKey("salt_hex")) {
            return Sealer.seal(secret, message, about);
        }
        return Sealer.sealWith(secret, message, about, hex(request, "salt_hex"), hex(request, "iv_hex"));
    }

    private static void ship(Map<?, ?> request) throws Exception {
        client = new Client(string(request, "endpoint"), string(request, "ca_file"), string(request, "api_key"),
                hex(request, "secret_hex"));
        for (Object each : (List<?>) request.get("messages")) {
            Map<?, ?> message = (Map<?, ?>) each;
            client.log(string(request, "node"), number(message, "loglevel"), number(request, "mode"),
                    hex(message, "message_hex"));
        }
    }

    private static void flush(Duration timeout) throws Exception {
        Client shipped = client;
        client = null;
        if (shipped != null) {
            shipped.flush(timeout);
        }
    }

    private static Map<String, Object> answer(Map<?, ?> request) throws Exception {
        switch (string(request, "op")) {
            case "hello":
                return JsonWriter.object("name", "Java javax.crypto", "version", Runtime.version().toString(),
                        "language", "Java", "modes", Entry.MODES, "key_policy", "unique",
                        "operations", List.of("open", "parse", "seal", "derive", "ship"));
            case "open":
                byte[] message = parse(request).open(hex(request, "secret_hex"));
                return JsonWriter.object("message_hex", HexFormat.of().formatHex(message));
            case "parse":
                parse(request);
                return JsonWriter.object();
            case "derive":
                byte[] salt = hex(request, "salt_hex");
                byte[] key = Keys.derive(number(request, "mode"), hex(request, "secret_hex"), salt);
                return JsonWriter.object("key_hex", HexFormat.of().formatHex(key));
            case "seal":
                return JsonWriter.object("entry_b64", Base64.getEncoder().encodeToString(seal(request)));
            case "ship":
                ship(request);
                return JsonWriter.object();
            case "flush":
                flush(Duration.ofMillis(number(request, "timeout_ms")));
                return JsonWriter.object();
            default:
                return JsonWriter.object();
        }
    }

    public static void main(String[] args) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line; (line = lines.readLine()) != null;) {
            Map<?, ?> request = (Map<?, ?>) Json.read(line);
            Map<String, Object> answer = JsonWriter.object("id", request.get("id"));
            try {
                answer.put("ok", answer(request));
            } catch (Refused refused) {
                answer.put("error", JsonWriter.object("stage", refused.stage, "message", refused.getMessage()));
            }
            out.println(JsonWriter.write(answer));
            if (request.get("op").equals("stop")) {
                System.exit(0);
            }
        }
    }
}
