package io.logflux.bench;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.core.FileAppender;
import io.logflux.Client;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a logging call of 256 B costs its caller, beside Logback's AsyncAppender to /dev/null: batches of 100 calls,
 * and a pause after each, so that no queue is full.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 1_000)
@Measurement(iterations = 1_000)
public class CallBenchmark {
    private static final int CALLS = 100;

    private final String message = "m".repeat(256);
    private Client client;
    private Client quiet;
    private LoggerContext context;
    private Logger logback;

    /** Opens what logs. */
    @Setup
    public void open() {
        client = Client.builder().mode(io.logflux.Mode.HKDF).queueSize(1_000_000).queueBytes(1L << 30).open();
        quiet = Client.builder().mode(io.logflux.Mode.HKDF).minLevel(io.logflux.Level.ERROR).open();
        context = new LoggerContext();
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern("%d %level %logger %msg%n");
        encoder.start();
        FileAppender<ch.qos.logback.classic.spi.ILoggingEvent> file = new FileAppender<>();
        file.setContext(context);
        file.setFile("/dev/null");
        file.setEncoder(encoder);
        file.start();
        AsyncAppender async = new AsyncAppender();
        async.setContext(context);
        async.setQueueSize(1 << 20);
        async.setNeverBlock(true);
        async.addAppender(file);
        async.start();
        logback = context.getLogger("bench");
        logback.setLevel(ch.qos.logback.classic.Level.INFO);
        logback.addAppender(async);
    }

    /** Lets the queues drain. */
    @Setup(Level.Iteration)
    public void pause() throws InterruptedException {
        Thread.sleep(3);
    }

    /** Says what became of the messages. */
    @TearDown
    public void close() {
        client.close(Duration.ofSeconds(60));
        System.out.println(client.stats());
        quiet.close();
        context.stop();
    }

    /** A call of LogFlux. */
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public void logflux() {
        for (int i = 0; i < CALLS; i++) {
            client.info(message);
        }
    }

    /** A call of LogFlux with a field. */
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public void logfluxWithAField() {
        for (int i = 0; i < CALLS; i++) {
            client.info(message, Map.of("order", 17));
        }
    }

    /** A call of a level that is left out. */
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public void logfluxLeftOut() {
        for (int i = 0; i < CALLS; i++) {
            quiet.info(message);
        }
    }

    /** A call of Logback. */
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public void logbackAsync() {
        for (int i = 0; i < CALLS; i++) {
            logback.info(message);
        }
    }
}
