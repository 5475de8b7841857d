package io.logflux;

import static io.logflux.Runner.check;
import static io.logflux.Runner.equal;

import java.io.File;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Finding and loading the native half. */
final class LoadingTests {
    private LoadingTests() {}

    private static final String NEWEST = System.getenv("LOGFLUX_TEST_NEWEST_JDK");

    @Runner.Test
    static void twoClassLoadersEachHaveACopyAndOneIsCollected() throws Exception {
        URL[] jars = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(path -> path.contains("logflux-0.")).map(path -> {
                    try {
                        return new File(path).toURI().toURL();
                    } catch (java.net.MalformedURLException e) {
                        throw new IllegalStateException(e);
                    }
                }).toArray(URL[]::new);
        equal(1, jars.length);
        String node = Server.newNode();
        URLClassLoader kept = new URLClassLoader(jars, ClassLoader.getPlatformClassLoader());
        Object client = log(kept, node);
        WeakReference<ClassLoader> gone = logAndClose(jars, node);
        Runner.waitFor(() -> {
            System.gc();
            return gone.get() == null;
        });
        client.getClass().getMethod("info", String.class).invoke(client, "still there");
        equal(true, client.getClass().getMethod("close", Duration.class).invoke(client, Duration.ofSeconds(60)));
        kept.close();
        equal(3, Server.shared().entries(node).size());
    }

    private static Object log(ClassLoader loader, String node) throws Exception {
        Class<?> clients = loader.loadClass("io.logflux.Client");
        Object builder = clients.getMethod("builder").invoke(null);
        Server server = Server.shared();
        for (Map.Entry<String, String> setting : Map.of("serverUrl", server.url, "apiKey", server.key, "secret",
                Server.SECRET, "mode", "128", "node", node, "caFile", server.data.resolve("ca.pem").toString()).entrySet()) {
            builder.getClass().getMethod("setting", String.class, String.class).invoke(builder, setting.getKey(), setting.getValue());
        }
        Object client = builder.getClass().getMethod("open").invoke(builder);
        clients.getMethod("info", String.class).invoke(client, "from " + loader.hashCode());
        return client;
    }

    private static WeakReference<ClassLoader> logAndClose(URL[] jars, String node) throws Exception {
        URLClassLoader loader = new URLClassLoader(jars, ClassLoader.getPlatformClassLoader());
        Object client = log(loader, node);
        equal(true, client.getClass().getMethod("close", Duration.class).invoke(client, Duration.ofSeconds(60)));
        loader.close();
        return new WeakReference<>(loader);
    }

    @Runner.Test
    static void nothingIsLeftInTheTemporaryFolder() throws Exception {
        Path folder = Server.folder();
        Server server = Server.shared();
        Server.Done done = Server.program(server.environment(Server.newNode()), List.of("-Djava.io.tmpdir=" + folder), "direct", "stats");
        equal("50 0", done.stdout().trim());
        try (var files = Files.list(folder)) {
            equal(List.of(), files.filter(file -> file.getFileName().toString().startsWith("logflux")).toList());
        }
    }

    @Runner.Test
    static void aTemporaryFolderThatAllowsNoProgramIsPassedOver() throws Exception {
        Path folder = Server.folder();
        Process mount = new ProcessBuilder("mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", folder.toString()).start();
        if (mount.waitFor() != 0) {
            // It takes root. A folder that is a file is passed over in the same way.
            folder = Files.createTempFile(Server.PLACE, "no-folder-", "");
        }
        try {
            Server server = Server.shared();
            List<String> options = List.of("-Djava.io.tmpdir=" + folder, "-Duser.home=" + Server.folder());
            equal("50 0", Server.program(server.environment(Server.newNode()), options, "direct", "stats").stdout().trim());
            options = List.of("-Djava.io.tmpdir=" + folder, "-Duser.home=/dev/null");
            Server.Done none = Server.program(server.environment(Server.newNode()), options, "direct", "stats");
            equal("50 50", none.stdout().trim());
            check(none.stderr().contains("-Dlogflux.library"), none.stderr());
        } finally {
            new ProcessBuilder("umount", folder.toString()).start().waitFor();
        }
    }

    @Runner.Test
    static void aLibraryThatIsNamedIsTakenOrTheErrorNamesIt() throws Exception {
        Server server = Server.shared();
        List<String> options = List.of("-Dlogflux.library=/no/such.so");
        Server.Done done = Server.program(server.environment(Server.newNode()), options, "direct", "stats");
        equal(0, done.status());
        equal("50 50", done.stdout().trim());
        check(done.stderr().contains("-Dlogflux.library=/no/such.so"), done.stderr());
        // A newer Java has warnings of its own.
        equal(1L, done.stderr().lines().filter(line -> line.startsWith("logflux: ")).count());
        options = List.of("-Dlogflux.library=" + System.getenv("LOGFLUX_TEST_LIBRARY"));
        equal("50 0", Server.program(server.environment(Server.newNode()), options, "direct", "stats").stdout().trim());
    }

    @Runner.Test
    static void aMachineThatRefusesNativeAccessGoesOnAndSaysSoOnce() throws Exception {
        Server server = Server.shared();
        List<String> deny = List.of("--illegal-native-access=deny");
        Server.Done done = Server.program(NEWEST, server.environment(Server.newNode()), deny, "direct", "stats");
        if (done.stderr().contains("Unrecognized option")) {
            System.out.println("     no JDK here can refuse native access");
            return;
        }
        equal(0, done.status());
        equal("50 50", done.stdout().trim());
        equal(1L, done.stderr().lines().filter(line -> line.startsWith("logflux: ")).count());
        List<String> allow = List.of("--illegal-native-access=deny", "--enable-native-access=ALL-UNNAMED");
        done = Server.program(NEWEST, server.environment(Server.newNode()), allow, "direct", "stats");
        equal("50 0", done.stdout().trim());
        equal("", done.stderr());
    }

    @Runner.Test
    static void theModulePathWorks() throws Exception {
        Path source = Server.folder();
        Path out = Server.folder();
        Files.writeString(source.resolve("module-info.java"), "module app { requires io.logflux; requires io.logflux.jul; }");
        Files.createDirectories(source.resolve("app"));
        Files.writeString(source.resolve("app/Main.java"), "package app; public final class Main { public static void main(String[] a) {"
                + " var c = io.logflux.Client.fromEnv(); c.info(\"from a module\");"
                + " System.out.println(c.close(java.time.Duration.ofSeconds(60)) + \" \" + io.logflux.Client.class.getModule().getName()); } }");
        String jars = String.join(File.pathSeparator, Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(path -> path.matches(".*/logflux(-jul)?-0[^/]*\\.jar")).toList());
        String home = System.getProperty("java.home");
        Server.Done compiled = Server.run(List.of(home + "/bin/javac", "-d", out.toString(), "-p", jars,
                source.resolve("module-info.java").toString(), source.resolve("app/Main.java").toString()), Server.clean());
        equal(0, compiled.status());
        for (String java : List.of(home, NEWEST)) {
            Server.Done done = Server.run(List.of(java + "/bin/java", "-p", jars + File.pathSeparator + out, "-m", "app/app.Main"),
                    Server.shared().environment(Server.newNode()));
            equal("true io.logflux", done.stdout().trim());
        }
    }
}
