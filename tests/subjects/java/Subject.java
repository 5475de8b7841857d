import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A subject on the JDK: the format is Entry.java. */
public final class Subject {
    private static final Set<Integer> AGAIN = Set.of(408, 429, 500, 502, 503, 504, 507);
    private static final int BATCH = 100;
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final byte[] EPOCH = fresh(16);

    private static List<String> waiting = List.of();
    private static Map<?, ?> shipment;
    private static HttpClient client;

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

    private static byte[] seal(Map<?, ?> request, Map<?, ?> message, String timestamp) throws Exception {
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
                byte[] key = Entry.keys(number(request, "mode"), hex(request, "secret_hex"), salt)[0];
                return Json.object("key_hex", HexFormat.of().formatHex(key));
            case "seal":
                byte[] entry = seal(request, request, (String) request.get("timestamp"));
                return Json.object("entry_b64", Base64.getEncoder().encodeToString(entry));
            case "ship":
                ship(request);
                return Json.object();
            case "flush":
                flush(Instant.now().plusMillis(number(request, "timeout_ms")));
                return Json.object();
            default:
                return Json.object();
        }
    }

    private static void ship(Map<?, ?> request) throws Exception {
        Refused.unless(((String) request.get("endpoint")).startsWith("https://"), null);
        KeyStore roots = KeyStore.getInstance(KeyStore.getDefaultType());
        roots.load(null, null);
        try (InputStream file = Files.newInputStream(Path.of((String) request.get("ca_file")))) {
            var certificate = CertificateFactory.getInstance("X.509").generateCertificate(file);
            roots.setCertificateEntry("ca", certificate);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(roots);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);
        client = HttpClient.newBuilder().sslContext(tls).version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER).connectTimeout(Duration.ofSeconds(10)).build();
        shipment = request;
        waiting = new ArrayList<>();
        for (Object message : (List<?>) request.get("messages")) {
            String now = Instant.now().toString();
            byte[] sealed = seal(request, (Map<?, ?>) message, now);
            waiting.add(new String(sealed, StandardCharsets.UTF_8));
        }
    }

    private static void flush(Instant until) throws InterruptedException {
        for (Duration pause = Duration.ofMillis(100); !waiting.isEmpty();) {
            List<String> batch = waiting.subList(0, Math.min(BATCH, waiting.size()));
            Duration wait = pause;
            try {
                HttpResponse<String> answer = post("[" + String.join(",", batch) + "]");
                if (answer.statusCode() == 200) {
                    batch.clear();
                    continue;
                }
                Refused.unless(AGAIN.contains(answer.statusCode()), null);
                Duration asked = retryAfter(answer.headers().firstValue("Retry-After").orElse("0"));
                wait = asked.compareTo(pause) > 0 ? asked : pause;
            } catch (IOException lost) {
                // It is unknown whether it was taken: the same bytes again.
            }
            Refused.unless(Instant.now().plus(wait).isBefore(until), null);
            Thread.sleep(wait.toMillis());
            pause = pause.multipliedBy(2);
        }
    }

    private static HttpResponse<String> post(String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(shipment.get("endpoint") + "/v1/ingest"))
                .header("Authorization", "Bearer " + shipment.get("api_key"))
                .header("Content-Type", "application/json").timeout(Duration.ofSeconds(10))
                .POST(HttpRequest.BodyPublishers.ofString(body)).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private static Duration retryAfter(String value) {
        Duration wait = value.matches("\\d{1,9}") ? Duration.ofSeconds(Long.parseLong(value))
                : Duration.between(Instant.now(), ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME));
        return wait.compareTo(Duration.ofMinutes(5)) > 0 ? Duration.ofMinutes(5) : wait;
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
