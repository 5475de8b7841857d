package io.logflux;

import static io.logflux.Runner.check;
import static io.logflux.Runner.equal;
import static io.logflux.Runner.thrown;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Every bound of every setting, and one value beyond it; and the table in the documents. */
final class SettingsTests {
    private SettingsTests() {}

    record Row(String name, String variable, String kind, String values, String about, String usual, String min,
            String max, String words) {}

    private static List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        String[] t = Settings.TABLE;
        for (int at = 0; at < t.length; at += Settings.COLUMNS) {
            rows.add(new Row(t[at], t[at + 1], t[at + 2], t[at + 3], t[at + 4], t[at + 5], t[at + 6], t[at + 7], t[at + 8]));
        }
        return rows;
    }

    private static ClientBuilder given() {
        return Client.builder().serverUrl("https://127.0.0.1:1").node("n").apiKey("lf_" + "a".repeat(32)).secret("s")
                .initialDelay(Duration.ofMillis(1)).maxDelay(Duration.ofHours(24));
    }

    private static void taken(ClientBuilder builder) {
        check(builder.open().close(Duration.ZERO), builder);
    }

    private static String seconds(String nanoseconds) {
        return new BigDecimal(nanoseconds).movePointLeft(9).toPlainString() + "s";
    }

    @Runner.Test
    static void aBoundIsTakenAndOneValueBeyondItIsNamed() {
        Environment.override = Map.of();
        int checked = 0;
        for (Row row : rows()) {
            List<String> good = new ArrayList<>();
            List<String> bad = new ArrayList<>(List.of("hunter2"));
            switch (row.kind) {
                case "number":
                case "size":
                    good.addAll(List.of(row.min, row.max));
                    bad.addAll(List.of(new BigInteger(row.max).add(BigInteger.ONE).toString(), "-1", "1.5", "1e2"));
                    break;
                case "factor":
                    good.addAll(List.of(row.min, row.max));
                    bad.addAll(List.of(new BigDecimal(row.max).add(new BigDecimal("0.001")).toPlainString(), "NaN", "-1"));
                    break;
                case "duration":
                    good.addAll(List.of(seconds(row.min), seconds(row.max)));
                    bad.addAll(List.of(seconds(new BigInteger(row.max).add(BigInteger.valueOf(1_000_000)).toString()), "-1s"));
                    break;
                case "choice":
                    good.addAll(List.of(row.words.split(" ")));
                    break;
                default:
                    bad.clear();
            }
            for (String value : good) {
                taken(given().setting(row.name, value));
            }
            for (String value : bad) {
                SettingsException error = thrown(SettingsException.class, () -> given().setting(row.name, value).open());
                // Text that is no duration or size at all has a sentence of its own.
                boolean unit = !value.matches("[0-9.]+s?") && row.kind.equals("duration")
                        || !value.matches("[0-9]+") && row.kind.equals("size");
                String expected = row.name + ": " + (unit ? "" : "must be " + row.values);
                check(error.getMessage().startsWith(expected), value, error.getMessage());
                checked++;
            }
        }
        check(checked > 50, checked);
    }

    @Runner.Test
    static void typedSettingsAreNamedToo() {
        Environment.override = Map.of();
        Map<String, Supplier<ClientBuilder>> wrong = new HashMap<>();
        wrong.put("queueSize", () -> given().queueSize(0));
        wrong.put("queueBytes", () -> given().queueBytes(-1));
        wrong.put("maxInFlight", () -> given().maxInFlight(17));
        wrong.put("backoffFactor", () -> given().backoffFactor(Double.NaN));
        wrong.put("httpTimeout", () -> given().httpTimeout(Duration.ofSeconds(-1)));
        wrong.put("flushInterval", () -> given().flushInterval(Duration.ofDays(2)));
        wrong.put("closeTimeout", () -> given().closeTimeout(Duration.ofSeconds(Long.MAX_VALUE)));
        wrong.put("initialDelay", () -> given().initialDelay(Duration.ofSeconds(9)).maxDelay(Duration.ofSeconds(1)));
        wrong.put("spoolDir", () -> given().spoolDir(Path.of("/dev/null/spool")));
        wrong.put("caFile", () -> given().caFile(Path.of("/no/such")));
        wrong.put("serverUrl", () -> given().serverUrl("http://a"));
        wrong.put("apiKey", () -> given().apiKey("lf_hunter2"));
        wrong.put("node", () -> given().node("\ud800"));
        wrong.put("proxy", () -> given().proxy("ftp://h"));
        wrong.put("keyPolicy", () -> given().keyPolicy(KeyPolicy.bounded(0, Duration.ofSeconds(1))));
        wrong.put("whenFull", () -> given().whenFull(""));
        wrong.put("queue_size", () -> given().setting("queue_size", "1"));
        wrong.forEach((name, builder) -> {
            SettingsException error = thrown(SettingsException.class, () -> builder.get().open());
            check(error.getMessage().startsWith(name + ": ") && !error.getMessage().contains("hunter2"), error.getMessage());
        });
        taken(given().httpTimeout(Duration.ofNanos(1_500_000)).backoffFactor(1e2).mode(Mode.ARGON2).minLevel(Level.ERROR)
                .keyPolicy(KeyPolicy.adaptive(0.5, 10, Duration.ofSeconds(1))).node(null).caFile(null));
        check(!given().minLevel(Level.ERROR).toString().contains("lf_"));
        thrown(SettingsException.class, () -> given().apiKey(null));
        thrown(SecretException.class, () -> given().secret((String) null));
    }

    @Runner.Test
    static void aVariableThatIsWrongOrMissingIsNamed() {
        Environment.override = Map.of();
        equal("serverUrl is not set: give it, or set LOGFLUX_SERVER_URL",
                thrown(SettingsException.class, () -> Client.builder().open()).getMessage());
        check(thrown(SecretException.class, () -> Client.builder().serverUrl("https://a").apiKey("lf_" + "a".repeat(32)).open())
                .getMessage().startsWith("no secret: set LOGFLUX_SECRET"));
        for (Row row : rows()) {
            if (row.variable == null || row.kind.equals("text") || row.name.endsWith("Delay")) {
                continue;
            }
            boolean duration = row.kind.equals("duration");
            Environment.override = Map.of(row.variable, duration ? "9999d" : row.kind.equals("size") ? "0" : "hunter2");
            equal(row.variable + ": must be " + row.values,
                    thrown(SettingsException.class, () -> given().open()).getMessage());
            Environment.override = Map.of(row.variable, "");
            taken(given());
        }
        // What is given comes before the variable.
        Environment.override = Map.of("LOGFLUX_MIN_LEVEL", "error");
        Client client = given().minLevel(Level.WARNING).open();
        check(client.isEnabled(Level.WARNING) && !client.isEnabled(Level.NOTICE));
        client.close(Duration.ZERO);
        Environment.override = Map.of();
    }

    @Runner.Test
    static void theDocumentHasTheTableOfSettings() throws Exception {
        StringBuilder table = new StringBuilder("| setting | it is | default | |\n|---|---|---|---|\n");
        for (Row row : rows()) {
            boolean policy = row.name.equals("keyPolicy");
            table.append(String.format("| `%s` | %s | %s | %s |%n", row.name, policy ? "a `KeyPolicy`" : row.values,
                    policy ? "`KeyPolicy.adaptive()`" : row.usual == null ? "needed" : row.usual, row.about));
        }
        Path file = Path.of(System.getenv("LOGFLUX_TEST_ROOT"), "docs", "java.md");
        String text = Files.readString(file);
        String begin = "<!-- settings: begin -->\n";
        int from = text.indexOf(begin) + begin.length();
        int to = text.indexOf("<!-- settings: end -->");
        if (System.getenv("LOGFLUX_UPDATE_SETTINGS") != null) {
            Files.writeString(file, text.substring(0, from) + table + text.substring(to));
        } else {
            check(text.substring(from, to).contentEquals(table), "docs/java.md: run `make settings`");
        }
    }
}
