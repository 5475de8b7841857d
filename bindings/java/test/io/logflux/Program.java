package io.logflux;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.logging.Logger;
import org.slf4j.LoggerFactory;

/** A program that logs 50 lines in one way, and ends in another. */
public final class Program {
    static final int LINES = 50;

    private Program() {}

    private static Consumer<String> way(String way) {
        switch (way) {
            case "direct":
                Logflux.initFromEnv();
                return Logflux::info;
            case "jul":
                Logger jul = Logger.getLogger("app");
                jul.setUseParentHandlers(false);
                jul.addHandler(new io.logflux.jul.LogfluxHandler());
                return jul::info;
            case "logback":
                return LoggerFactory.getLogger("app")::info;
            default:
                return org.apache.logging.log4j.LogManager.getLogger("app")::info;
        }
    }

    public static void main(String[] arguments) throws Exception {
        Consumer<String> log = way(arguments[0]);
        for (int i = 0; i < LINES; i++) {
            log.accept("line " + i);
        }
        switch (arguments[1]) {
            case "return":
                return;
            case "exit":
                System.exit(3);
                return;
            case "uncaught":
                throw new IllegalStateException("on purpose");
            case "wait":
                System.out.println("ready");
                new CountDownLatch(1).await();
                return;
            case "signal":
                new ProcessBuilder("kill", "-" + arguments[2], Long.toString(ProcessHandle.current().pid())).start();
                new CountDownLatch(1).await();
                return;
            case "hook":
                Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                    try {
                        Thread.sleep(300);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    log.accept("last");
                }));
                System.exit(4);
                return;
            case "halt":
                Runtime.getRuntime().halt(5);
                return;
            case "flush-kill":
                if (Logflux.flush(Duration.ofSeconds(60))) {
                    new ProcessBuilder("kill", "-9", Long.toString(ProcessHandle.current().pid())).start();
                }
                new CountDownLatch(1).await();
                return;
            case "deliver":
                // Another process takes a spool over.
                Logflux.info("one more");
                Runner.waitFor(() -> Logflux.stats().delivered() >= Integer.parseInt(arguments[2]));
                System.out.println(Logflux.close(Duration.ofSeconds(60)));
                return;
            case "stats":
                Stats stats = Logflux.stats();
                System.out.println(stats.accepted() + " " + stats.droppedTotal());
                return;
            default:
                throw new IllegalArgumentException(Path.of(arguments[1]).toString());
        }
    }
}
