package logflux;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Seals what is logged, and sends it when it is flushed. */
public final class Client {
    private static final int BATCH = 100;

    private final List<String> waiting = new ArrayList<>();
    private final URI url;
    private final String apiKey;
    private final byte[] secret;
    private final HttpClient http;

    /** A client of an endpoint; the authority of caFile is the one it trusts. */
    public Client(String endpoint, String caFile, String apiKey, byte[] secret)
            throws IOException, GeneralSecurityException {
        Refused.unless(endpoint.startsWith("https://"), null);
        this.url = URI.create(endpoint + "/v1/ingest");
        this.apiKey = apiKey;
        this.secret = secret;
        this.http = HttpClient.newBuilder().sslContext(trusting(caFile)).version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER).connectTimeout(Duration.ofSeconds(10)).build();
    }

    private static SSLContext trusting(String caFile) throws IOException, GeneralSecurityException {
        KeyStore roots = KeyStore.getInstance(KeyStore.getDefaultType());
        roots.load(null, null);
        try (InputStream file = Files.newInputStream(Path.of(caFile))) {
            var certificate = CertificateFactory.getInstance("X.509").generateCertificate(file);
            roots.setCertificateEntry("ca", certificate);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(roots);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);
        return tls;
    }

    /** Seals a message, of now. */
    public void log(String node, long level, long mode, byte[] message) throws GeneralSecurityException {
        Sealer.Metadata about = new Sealer.Metadata(node, level, mode, Instant.now().toString());
        waiting.add(new String(Sealer.seal(secret, message, about), StandardCharsets.UTF_8));
    }

    /** Sends everything, or gives up in time. Only the API itself can refuse an entry. */
    public void flush(Duration timeout) throws InterruptedException {
        Instant until = Instant.now().plus(timeout);
        int size = BATCH;
        int refused = 0;
        for (Duration pause = Duration.ofMillis(100); !waiting.isEmpty();) {
            List<String> batch = waiting.subList(0, Math.min(size, waiting.size()));
            Duration wait = pause;
            try {
                HttpResponse<String> answer = post("[" + String.join(",", batch) + "]");
                int status = answer.statusCode();
                Map<?, ?> api = inTheApisForm(answer.body());
                boolean last = status == 400 || status == 413;
                if (last && batch.size() > 1 && (api != null || status == 413)) {
                    size = batch.size() / 2;
                    continue;
                }
                if (api != null && (status == 200 || last)) {
                    refused += last ? 1 : api.get("failures") instanceof List<?> failures ? failures.size() : 0;
                    batch.clear();
                    size = BATCH;
                    pause = Duration.ofMillis(100);
                    continue;
                }
                Duration asked = retryAfter(answer.headers().firstValue("Retry-After").orElse("0"));
                wait = asked.compareTo(pause) > 0 ? asked : pause;
            } catch (IOException lost) {
                // It is unknown whether it was taken: the same bytes again.
            }
            Refused.unless(Instant.now().plus(wait).isBefore(until), null);
            Thread.sleep(wait.toMillis());
            pause = pause.multipliedBy(2);
        }
        Refused.unless(refused == 0, null);
    }

    /** The answer of an ingest API; none where it is a proxy's or a login page. */
    private static Map<?, ?> inTheApisForm(String body) {
        try {
            return Json.read(body) instanceof Map<?, ?> answer && answer.containsKey("status") ? answer : null;
        } catch (Refused otherwise) {
            return null;
        }
    }

    private HttpResponse<String> post(String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(url)
                .header("Authorization", "Bearer " + apiKey)
                .header("Content-Type", "application/json").timeout(Duration.ofSeconds(10))
                .POST(HttpRequest.BodyPublishers.ofString(body)).build();
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private static Duration retryAfter(String value) {
        try {
            Duration wait = value.matches("\\d{1,9}") ? Duration.ofSeconds(Long.parseLong(value))
                    : Duration.between(Instant.now(), ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME));
            return wait.compareTo(Duration.ofMinutes(5)) > 0 ? Duration.ofMinutes(5) : wait;
        } catch (DateTimeParseException nonsense) {
            return Duration.ZERO;
        }
    }
}
