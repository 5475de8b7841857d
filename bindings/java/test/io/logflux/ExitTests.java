package io.logflux;

import static io.logflux.Runner.check;
import static io.logflux.Runner.equal;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** How a process ends: whatever way it is, the server has every line. */
final class ExitTests {
    private static final boolean LONG = "1".equals(System.getenv("LOGFLUX_TEST_LONG"));

    private ExitTests() {}

    private static void ends(String way, int status, int lines, String... end) throws Exception {
        Server server = Server.shared();
        String node = Server.newNode();
        String[] arguments = new String[end.length + 1];
        arguments[0] = way;
        System.arraycopy(end, 0, arguments, 1, end.length);
        Server.Done done = Server.program(server.environment(node), List.of(), arguments);
        equal(status, done.status());
        equal(lines, server.entries(node).size());
        check(!done.stderr().contains("logflux:"), done.stderr());
    }

    @Runner.Test
    static void everyEndOfAProcess() throws Exception {
        int n = Program.LINES;
        List<String> ways = LONG ? List.of("direct", "jul", "logback", "log4j") : List.of("direct");
        for (String way : ways) {
            ends(way, 0, n, "return");
            ends(way, 3, n, "exit");
            ends(way, 1, n, "uncaught");
            ends(way, 143, n, "signal", "TERM");
            ends(way, 130, n, "signal", "INT");
        }
        // It comes after the hook of ours, so that only the C library's handler delivers it.
        ends("direct", 4, n + 1, "hook");
        ends("logback", 3, n, "exit");
        ends("log4j", 3, n, "exit");
        ends("jul", 3, n, "exit");
    }

    @Runner.Test
    static void aServerThatIsAwayHoldsTheEndUpForItsTimeAtMost() throws Exception {
        Map<String, String> environment = Server.shared().environment(Server.newNode());
        environment.put("LOGFLUX_SERVER_URL", "https://127.0.0.1:1");
        environment.put("LOGFLUX_CLOSE_TIMEOUT", "1500ms");
        Server.Done done = Server.program(environment, List.of(), "direct", "return");
        equal(0, done.status());
        check(done.stderr().contains("logflux:"), done.stderr());
        check(done.millis() >= 1_500 && done.millis() < 23_000, done.millis());
    }

    @Runner.Test
    static void whatWasFlushedIntoASpoolOutlivesKill9() throws Exception {
        for (int round = 0; round < (LONG ? 25 : 3); round++) {
            Server server = Server.shared();
            String node = Server.newNode();
            Path spool = Server.folder();
            Map<String, String> environment = server.environment(node);
            environment.put("LOGFLUX_SPOOL_DIR", spool.toString());
            environment.put("LOGFLUX_SERVER_URL", "https://127.0.0.1:1");
            equal(137, Server.program(environment, List.of(), "direct", "flush-kill").status());
            environment.put("LOGFLUX_SERVER_URL", server.url);
            int all = Program.LINES * 2 + 1;
            Server.Done done = Server.program(environment, List.of(), "direct", "deliver", Integer.toString(all));
            equal("true", done.stdout().trim());
            equal(all, server.entries(node).size());
        }
    }

    @Runner.Test
    static void haltWithASpoolLosesNothingThatWasFlushed() throws Exception {
        Server server = Server.shared();
        String node = Server.newNode();
        Map<String, String> environment = server.environment(node);
        environment.put("LOGFLUX_SPOOL_DIR", Server.folder().toString());
        equal(5, Server.program(environment, List.of(), "direct", "halt").status());
        int all = Program.LINES * 2 + 1;
        // The C library's handler runs here, too: what is not delivered yet is in the spool.
        Server.Done done = Server.program(environment, List.of(), "direct", "deliver", "1");
        equal("true", done.stdout().trim());
        equal(all, server.entries(node).size());
    }
}
