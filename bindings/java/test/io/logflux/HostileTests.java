package io.logflux;

import static io.logflux.Runner.check;
import static io.logflux.Runner.equal;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Bad input, and many threads: nothing throws, and every message is accounted for. */
final class HostileTests {
    private static final Duration ENOUGH = Duration.ofSeconds(60);

    private HostileTests() {}

    static void conserved(Stats stats) {
        equal(stats.accepted(), stats.delivered() + stats.droppedTotal() + stats.pending() + stats.spooled());
    }

    @Runner.Test
    static void aLoggingCallNeverThrows() throws Exception {
        Client client = Server.shared().settings(Server.newNode()).open();
        Map<String, Object> circle = new HashMap<>();
        circle.put("self", circle);
        List<Object> deep = new ArrayList<>();
        List<Object> next = deep;
        for (int i = 0; i < 10_000; i++) {
            List<Object> inner = new ArrayList<>();
            next.add(inner);
            next = inner;
        }
        Object thrower = new Object() {
            @Override
            public String toString() {
                throw new IllegalStateException("on purpose");
            }
        };
        Object nothing = new Object() {
            @Override
            public String toString() {
                return null;
            }
        };
        Map<String, Object> fields = new HashMap<>();
        for (Object value : new Object[] {null, "\ud800", circle, deep, thrower, nothing, new byte[9], new int[] {1},
            new String[20_000], Double.NaN, Double.NEGATIVE_INFINITY, 1e30f, "x".repeat(1_000_000), Map.of(), 'c'}) {
            fields.put("value", value);
            client.info("hostile", fields);
        }
        fields.put(null, "null");
        client.info("null key", fields);
        client.info("", (Map<String, ?>) null);
        client.error("thrower", new RuntimeException() {
            private static final long serialVersionUID = 1;

            @Override
            public String getMessage() {
                throw new IllegalStateException("on purpose");
            }
        });
        client.info("x".repeat(10_000_000));
        client.info("\udc00".repeat(1_000));
        client.info("\0");
        equal(21L, client.stats().accepted());
        client.flush(ENOUGH);
        Stats stats = client.stats();
        equal(Map.of("too long", 1L), stats.dropped());
        equal(20L, stats.delivered());
        client.close();
    }

    @Runner.Test
    static void whatAFieldBecomes() {
        Map<String, Object> circle = new HashMap<>();
        circle.put("self", circle);
        Event event = new Event(Level.INFO, "a \"quote\"\n\u0001").target("t").field("c", circle).field("n", 1.5)
                .field("nan", Double.NaN).field("b", new byte[3]).field("l", List.of(1, true, "x")).field("a", new int[] {1, 2})
                .field("o", java.util.Optional.of(7)).field("null", null);
        equal("{\"message\":\"a \\\"quote\\\"\\n\\u0001\",\"target\":\"t\",\"fields\":{\"c\":{\"self\":\"[circular]\"},\"n\":1.5,"
                + "\"nan\":\"NaN\",\"b\":\"[3 bytes]\",\"l\":[1,true,\"x\"],\"a\":[1,2],\"o\":\"Optional[7]\",\"null\":null}}", event.json());
    }

    @Runner.Test
    static void threadsLogWhileTheClientIsClosed() throws Exception {
        Client client = Server.shared().settings(Server.newNode()).queueSize(1_000).open();
        ExecutorService threads = Executors.newFixedThreadPool(16);
        CountDownLatch begun = new CountDownLatch(16);
        for (int i = 0; i < 16; i++) {
            threads.execute(() -> {
                begun.countDown();
                for (int line = 0; line < 5_000; line++) {
                    client.info("line " + line);
                }
            });
        }
        begun.await();
        for (int i = 0; i < 20; i++) {
            conserved(client.stats());
        }
        client.close(Duration.ofSeconds(1));
        threads.shutdown();
        check(threads.awaitTermination(60, TimeUnit.SECONDS));
        Stats stats = client.stats();
        equal(80_000L, stats.accepted());
        equal(80_000L, stats.delivered() + stats.droppedTotal());
        conserved(stats);
    }

    @Runner.Test
    static void tenThousandVirtualThreadsWaitForRoomAndPinNothing() throws Exception {
        ExecutorService threads;
        try {
            threads = (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (NoSuchMethodException e) {
            // A JDK without them: as many platform threads are too many for a test.
            threads = Executors.newFixedThreadPool(64);
        }
        Client client = Server.shared().settings(Server.newNode()).queueSize(100).whenFull("block").open();
        AtomicBoolean unflushed = new AtomicBoolean();
        ClassLoader loader = HostileTests.class.getClassLoader();
        check(loader != null);
        long pinned = Pinned.during(threads, pool -> {
            for (int i = 0; i < 10_000; i++) {
                int number = i;
                pool.execute(() -> {
                    client.info("line " + number);
                    if (number % 100 == 0) {
                        unflushed.compareAndSet(false, !client.flush(ENOUGH));
                    }
                });
            }
        });
        equal(0L, pinned);
        check(!unflushed.get() && client.close(ENOUGH), client.stats());
        equal(10_000L, client.stats().delivered());
        equal(0L, client.stats().droppedTotal());
    }

    @Runner.Test
    static void anInterruptEndsNoWaitAndIsKept() throws Exception {
        Client client = Server.shared().settings(Server.newNode()).open();
        client.info("one");
        Thread.currentThread().interrupt();
        boolean delivered = client.flush(ENOUGH);
        check(Thread.interrupted() && delivered);
        check(client.close(ENOUGH));
    }
}
