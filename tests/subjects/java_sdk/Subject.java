import io.logflux.Client;
import io.logflux.Entry;
import io.logflux.Hazmat;
import io.logflux.KeyPolicy;
import io.logflux.Level;
import io.logflux.LogfluxException;
import io.logflux.Mode;
import io.logflux.Opener;
import io.logflux.Sealer;
import io.logflux.Secret;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import logflux.Json;
import logflux.JsonWriter;

/** The subject of the Java SDK: what `logflux certify` starts. */
public final class Subject {
    private static final HexFormat HEX = HexFormat.of();
    /** Openers and sealers last between requests. */
    private static final Map<String, Opener> OPENERS = new HashMap<>();
    private static final Map<String, Sealer> SEALERS = new HashMap<>();
    /** The client that ships, until it has flushed. */
    private static Client client;

    private static String string(Map<?, ?> request, String name) {
        return (String) request.get(name);
    }

    private static byte[] hex(Map<?, ?> request, String name) {
        return HEX.parseHex(string(request, name));
    }

    private static int number(Map<?, ?> request, String name) {
        return Integer.parseInt(((Json.Number) request.get(name)).text());
    }

    private static Secret secret(Map<?, ?> request) {
        return Secret.of(hex(request, "secret_hex"));
    }

    private static byte[] entry(Map<?, ?> request) {
        return Base64.getDecoder().decode(string(request, "entry_b64"));
    }

    private static Entry seal(Map<?, ?> request) {
        byte[] message = hex(request, "message_hex");
        String node = string(request, "node");
        int level = number(request, "loglevel");
        int mode = number(request, "mode");
        if (request.containsKey("salt_hex")) {
            return Hazmat.seal(message, secret(request), hex(request, "salt_hex"), hex(request, "iv_hex"), node, level,
                    string(request, "timestamp"), mode);
        }
        String name = string(request, "secret_hex") + " " + mode + " " + node;
        Sealer sealer = SEALERS.computeIfAbsent(name,
                missing -> new Sealer(secret(request), node, Mode.of(mode), KeyPolicy.unique()));
        return sealer.seal(message, Level.of(level), Instant.parse(string(request, "timestamp")));
    }

    private static Duration milliseconds(Map<?, ?> hints, String name) {
        return hints.get(name) == null ? null : Duration.ofMillis(number(hints, name));
    }

    private static void ship(Map<?, ?> request) {
        Map<?, ?> hints = (Map<?, ?>) request.get("hints");
        client = Client.builder().serverUrl(string(request, "endpoint")).apiKey(string(request, "api_key"))
                .secret(secret(request)).node(string(request, "node")).caFile(Path.of(string(request, "ca_file")))
                .mode(Mode.of(number(request, "mode"))).flushInterval(milliseconds(hints, "flush_interval_ms"))
                .initialDelay(milliseconds(hints, "initial_delay_ms")).maxDelay(milliseconds(hints, "max_delay_ms")).open();
        for (Object each : (List<?>) request.get("messages")) {
            Map<?, ?> message = (Map<?, ?>) each;
            String text = new String(hex(message, "message_hex"), StandardCharsets.UTF_8);
            client.log(Level.of(number(message, "loglevel")), text);
        }
    }

    private static boolean flush(Duration timeout) {
        Client flushing = client;
        client = null;
        boolean delivered = flushing != null && flushing.flush(timeout);
        if (flushing != null) {
            flushing.close(Duration.ZERO);
        }
        return delivered;
    }

    private static Map<String, Object> answer(Map<?, ?> request) {
        switch (string(request, "op")) {
            case "hello":
                return JsonWriter.object("name", "logflux (Java SDK)", "version", "0.1.0", "language", "Java",
                        "modes", List.of(1, 2, 3, 4, 128), "key_policy", "unique",
                        "operations", List.of("open", "parse", "seal", "derive", "ship"));
            case "open":
                Opener opener = OPENERS.computeIfAbsent(string(request, "secret_hex"), any -> new Opener(secret(request)));
                String message = opener.open(entry(request));
                return JsonWriter.object("message_hex", HEX.formatHex(message.getBytes(StandardCharsets.UTF_8)));
            case "parse":
                Entry.parse(entry(request));
                return JsonWriter.object();
            case "derive":
                byte[] key = Hazmat.deriveKey(secret(request), hex(request, "salt_hex"), number(request, "mode"));
                return JsonWriter.object("key_hex", HEX.formatHex(key));
            case "seal":
                byte[] json = seal(request).toJson().getBytes(StandardCharsets.UTF_8);
                return JsonWriter.object("entry_b64", Base64.getEncoder().encodeToString(json));
            case "ship":
                ship(request);
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
                boolean flush = request.get("op").equals("flush");
                if (flush && !flush(Duration.ofMillis(number(request, "timeout_ms")))) {
                    answer.remove("ok");
                    answer.put("error", JsonWriter.object("message", "not everything was delivered"));
                }
            } catch (LogfluxException refused) {
                answer.put("error", JsonWriter.object("stage", refused.stage(), "message", refused.getMessage()));
            }
            out.println(JsonWriter.write(answer));
            if (request.get("op").equals("stop")) {
                return;
            }
        }
    }
}
