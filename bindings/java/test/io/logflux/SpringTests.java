package io.logflux;

import static io.logflux.Runner.check;
import static io.logflux.Runner.equal;

import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Spring Boot resets its loggers while it starts, and has a shutdown hook of its own. */
final class SpringTests {
    private SpringTests() {}

    /** Without the logback.xml of the other tests, and without Log4j. */
    private static String classPath() {
        String libraries = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(path -> path.endsWith(".jar") && !Path.of(path).getFileName().toString().contains("log4j"))
                .collect(Collectors.joining(File.pathSeparator));
        return Server.PLACE.resolve("spring") + File.pathSeparator + libraries;
    }

    @Runner.Test
    static void theFirstAndTheLastLineOfSpringBootArrive() throws Exception {
        Server server = Server.shared();
        for (String end : List.of("return", "exit", "signal")) {
            String node = Server.newNode();
            List<String> command = List.of(System.getProperty("java.home") + "/bin/java", "-XX:TieredStopAtLevel=1",
                    "-cp", classPath(), "io.logflux.SpringProgram", end);
            Server.Done done = Server.run(command, server.environment(node));
            equal(switch (end) {
                case "return" -> 0;
                case "exit" -> 3;
                default -> 143;
            }, done.status());
            List<String> entries = server.entries(node);
            check(entries.size() >= 3, entries + done.stdout() + done.stderr());
            check(entries.get(0).contains("Starting SpringProgram"), entries.get(0));
            check(entries.get(entries.size() - 1).contains("the context is closed"), entries);
            check(!done.stderr().contains("logflux:"), done.stderr());
        }
    }
}
