package io.logflux;

import static io.logflux.Runner.check;
import static io.logflux.Runner.equal;
import static io.logflux.Runner.thrown;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A client and a real server. */
final class ClientTests {
    private static final Duration ENOUGH = Duration.ofSeconds(60);

    private ClientTests() {}

    @Runner.Test
    static void linesFieldsAndExceptionsArrive() throws Exception {
        String node = Server.newNode();
        Client client = Server.shared().settings(node).open();
        for (Level level : Level.values()) {
            client.log(level, "plain " + level);
        }
        client.error("failed", new IllegalStateException("outer", new RuntimeException("inner")));
        client.info("paid", Map.of("order", 17));
        client.info("half \ud800 a pair");
        client.info(null);
        check(client.flush(ENOUGH), client.stats());
        Stats stats = client.stats();
        equal(12L, stats.accepted());
        equal(12L, stats.delivered());
        check(client.close(ENOUGH), client.lastFlush());
        List<String> entries = Server.shared().entries(node);
        equal(12, entries.size());
        check(entries.get(0).contains("\"message\":\"plain EMERGENCY\""), entries.get(0));
        check(entries.get(8).contains("IllegalStateException: outer") && entries.get(8).contains("Caused by"), entries.get(8));
        check(entries.get(9).contains("\\\"fields\\\":{\\\"order\\\":17}"), entries.get(9));
        check(entries.get(10).contains("half \ufffd a pair"), entries.get(10));
        client.info("too late");
        equal(1L, client.stats().dropped().get("client closed"));
        check(!client.flush(ENOUGH), client.stats());
    }

    @Runner.Test
    static void clientsWithTheSameSettingsAreOneAndTheLastCloses() throws Exception {
        String node = Server.newNode();
        Client first = Server.shared().settings(node).open();
        Client second = Server.shared().settings(node).open();
        first.info("one");
        check(first.close(ENOUGH), first.stats());
        second.info("two");
        check(second.close(ENOUGH), second.stats());
        equal(2L, second.stats().delivered());
        second.close();
        equal(2, Server.shared().entries(node).size());
    }

    @Runner.Test
    static void theClientOfTheProcessIsReplacedWhenItHasDelivered() throws Exception {
        String node = Server.newNode();
        Logflux.info("nowhere");
        Client first = Logflux.init(Server.shared().settings(node));
        Logflux.warning("one");
        Client second = Logflux.init(Server.shared().settings(node).minLevel(Level.WARNING));
        Logflux.info("left out");
        Logflux.critical("two", Map.of());
        check(second == Logflux.client() && first != second);
        check(Logflux.flush(ENOUGH) && Logflux.close(ENOUGH), Logflux.stats());
        equal(1L, Logflux.stats().delivered());
        Runner.waitFor(() -> first.stats().delivered() == 1);
        equal(2, Server.shared().entries(node).size());
        thrown(LogfluxException.class, () -> Logflux.rotate(null, null, null));
    }

    @Runner.Test
    static void aSecretIsReplacedWithoutARestart() throws Exception {
        String node = Server.newNode();
        Client client = Server.shared().settings(node).open();
        client.info("old");
        check(client.flush(ENOUGH), client.stats());
        thrown(SettingsException.class, () -> client.rotate(null, null, null));
        thrown(SettingsException.class, () -> client.rotate(null, "lf_no", null));
        thrown(SettingsException.class, () -> client.rotate(null, null, Path.of("/no/such")));
        client.rotate(Secret.of("another secret"), null, null);
        client.info("new");
        check(client.close(ENOUGH), client.stats());
        Map<String, String> environment = Server.shared().environment(node);
        environment.put("LOGFLUX_SECRET", "another secret");
        Server.Done done = Server.run(List.of(System.getenv("LOGFLUX_PROGRAM"), "query", "--limit", "0", "--node", node), environment);
        check(done.stdout().contains("new") && !done.stdout().contains("old"), done);
    }

    @Runner.Test
    static void dropsAndNoticesAreTold() throws Exception {
        java.util.concurrent.atomic.AtomicLong told = new java.util.concurrent.atomic.AtomicLong();
        List<String> sentences = new java.util.concurrent.CopyOnWriteArrayList<>();
        Client client = Server.shared().settings(Server.newNode()).serverUrl("https://127.0.0.1:1").queueSize(10)
                .onDrop(more -> more.values().forEach(told::addAndGet)).onNotice(sentences::add).open();
        for (int i = 0; i < 100; i++) {
            client.info("line " + i);
        }
        check(!client.close(Duration.ofMillis(100)), client.stats());
        Stats stats = client.stats();
        equal(100L, stats.accepted());
        equal(100L, stats.droppedTotal());
        Runner.waitFor(() -> told.get() == 100);
        Runner.waitFor(() -> !sentences.isEmpty() || told.get() == 100);
    }
}
