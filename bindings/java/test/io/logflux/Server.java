package io.logflux;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** A real ingest server, {@code logflux serve}, whose entries are read back by {@code logflux query}. */
final class Server {
    static final String SECRET = "correct horse battery staple";
    static final Path PLACE = Path.of(System.getenv("LOGFLUX_TEST_PLACE"));
    private static final String PROGRAM = System.getenv("LOGFLUX_PROGRAM");
    private static final List<Process> RUNNING = new ArrayList<>();
    private static Server shared;

    final Path data;
    String url;
    String key;
    private Process process;

    private Server(Path data) {
        this.data = data;
    }

    /** The server of all tests that leave it alone. */
    static synchronized Server shared() throws Exception {
        if (shared == null) {
            shared = start(folder(), "127.0.0.1:0");
        }
        return shared;
    }

    static Server start(Path data, String listen) throws Exception {
        Server server = new Server(data);
        server.listen(listen);
        server.key = output(List.of(PROGRAM, "keys", "create", "--data", data.toString(), "--scope", "ingest,read"),
                clean()).trim();
        return server;
    }

    private void listen(String listen) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(PROGRAM, "serve", "--dev", "--listen", listen, "--data",
                data.toString(), "--requests-per-key", "0", "--requests-per-address", "0", "--log", "error");
        builder.environment().keySet().removeIf(name -> name.startsWith("LOGFLUX_"));
        builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
        process = builder.start();
        RUNNING.add(process);
        String line = new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8)).readLine();
        Runner.check(line != null && line.startsWith("listening on "), line);
        url = line.substring(line.lastIndexOf(' ') + 1);
    }

    void stop() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    static void stopAll() {
        RUNNING.forEach(Process::destroyForcibly);
    }

    static Map<String, String> clean() {
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.keySet().removeIf(name -> name.startsWith("LOGFLUX_"));
        return environment;
    }

    /** What a program needs to log to it, in the mode whose keys come quickest. */
    Map<String, String> environment(String node) {
        Map<String, String> environment = clean();
        environment.put("LOGFLUX_SERVER_URL", url);
        environment.put("LOGFLUX_API_KEY", key);
        environment.put("LOGFLUX_CA_FILE", data.resolve("ca.pem").toString());
        environment.put("LOGFLUX_SECRET", SECRET);
        environment.put("LOGFLUX_MODE", "128");
        environment.put("LOGFLUX_NODE", node);
        environment.put("LOGFLUX_CLOSE_TIMEOUT", "60s");
        return environment;
    }

    ClientBuilder settings(String node) {
        return Client.builder().serverUrl(url).apiKey(key).caFile(data.resolve("ca.pem")).secret(SECRET)
                .mode(Mode.HKDF).node(node);
    }

    /** What it holds of a node, opened, the oldest first: a line of JSON each. */
    List<String> entries(String node) throws Exception {
        String output = output(List.of(PROGRAM, "query", "--limit", "0", "--order", "asc", "--format", "json",
                "--node", node), environment(node));
        return Arrays.stream(output.split("\n")).filter(line -> !line.isEmpty()).toList();
    }

    static String newNode() {
        return "node-" + UUID.randomUUID();
    }

    static Path folder() throws IOException {
        return Files.createTempDirectory(PLACE, "tmp-");
    }

    private static String output(List<String> command, Map<String, String> environment) throws Exception {
        Done done = run(command, environment);
        Runner.check(done.status == 0, done.stderr);
        return done.stdout;
    }

    record Done(int status, String stdout, String stderr, long millis) {}

    static Done run(List<String> command, Map<String, String> environment) throws Exception {
        Path out = Files.createTempFile(PLACE, "out-", "");
        Path err = Files.createTempFile(PLACE, "err-", "");
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().clear();
        builder.environment().putAll(environment);
        builder.redirectOutput(out.toFile()).redirectError(err.toFile());
        long begun = System.nanoTime();
        Process process = builder.start();
        process.getOutputStream().close();
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
        long millis = (System.nanoTime() - begun) / 1_000_000;
        Done done = new Done(process.exitValue(), Files.readString(out), Files.readString(err), millis);
        Files.delete(out);
        Files.delete(err);
        return done;
    }

    /** Runs {@link Program} in a virtual machine of its own. */
    static Done program(Map<String, String> environment, List<String> options, String... arguments) throws Exception {
        return program(System.getProperty("java.home"), environment, options, arguments);
    }

    static Done program(String home, Map<String, String> environment, List<String> options, String... arguments)
            throws Exception {
        List<String> command = new ArrayList<>(List.of(home + "/bin/java", "-XX:TieredStopAtLevel=1", "-Xshare:auto"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "io.logflux.Program"));
        command.addAll(List.of(arguments));
        return run(command, environment);
    }
}
