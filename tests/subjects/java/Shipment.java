import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Shipping entries on the JDK. */
final class Shipment {
    private static final Set<Integer> AGAIN = Set.of(408, 429, 500, 502, 503, 504, 507);
    private static final int BATCH = 100;

    private static List<String> waiting = List.of();
    private static Map<?, ?> shipment;
    private static HttpClient client;

    static void ship(Map<?, ?> request) throws Exception {
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
            byte[] sealed = Subject.seal(request, (Map<?, ?>) message, now);
            waiting.add(new String(sealed, StandardCharsets.UTF_8));
        }
    }

    static void flush(Instant until) throws InterruptedException {
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
}
