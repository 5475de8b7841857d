package io.logflux;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;

/**
 * Finds and loads the native half, once for every class loader: what {@code -Dlogflux.library} names, or what
 * {@code java.library.path} has, or else the copy in the jar, which is laid into a folder of this user's.
 */
final class Library {
    /** The system property that names the file. */
    private static final String PROPERTY = "logflux.library";
    private static final String NAME = "logflux_jni";

    /** Why it cannot be used; null where it can. */
    private static final LogfluxException WHY_NOT = load();

    private Library() {}

    /** Whether the native half is there. What is not is said on stderr, once. */
    static boolean isLoaded() {
        return WHY_NOT == null;
    }

    /** Throws where the native half is not there. */
    static void need() {
        if (WHY_NOT != null) {
            throw new LogfluxException(WHY_NOT.getMessage(), WHY_NOT);
        }
    }

    private static LogfluxException load() {
        LogfluxException error;
        try {
            find();
            String version = Native.version();
            if (version.equals(Version.NUMBER)) {
                return null;
            }
            error = new LogfluxException("io.logflux:logflux is " + Version.NUMBER + ", but its native library is "
                    + version + ": correct -D" + PROPERTY + " or java.library.path");
        } catch (LogfluxException e) {
            error = e;
        } catch (Throwable e) {
            // An IllegalCallerException where the machine was told to refuse native access.
            error = new LogfluxException("the native library cannot be loaded (" + e + "): start Java with "
                    + "--enable-native-access=" + (Library.class.getModule().isNamed() ? "io.logflux" : "ALL-UNNAMED")
                    + ", or name the file with -D" + PROPERTY, e);
        }
        System.err.println("logflux: nothing is logged, and every message counts as dropped: " + error.getMessage());
        return error;
    }

    private static void find() throws IOException {
        String file = System.getProperty(PROPERTY);
        if (file != null && !file.isEmpty()) {
            try {
                System.load(Path.of(file).toAbsolutePath().toString());
            } catch (UnsatisfiedLinkError e) {
                throw new LogfluxException("-D" + PROPERTY + "=" + file + ": " + e.getMessage(), e);
            }
            return;
        }
        try {
            System.loadLibrary(NAME);
            return;
        } catch (UnsatisfiedLinkError e) {
            // The usual case: the copy in the jar, then.
        }
        loadFromJar();
    }

    /** Where the jar has the library for this platform. */
    static String resource() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        String system = os.contains("win") ? "windows" : os.contains("mac") ? "macos" : "linux";
        String processor = arch.equals("amd64") ? "x86_64" : arch.equals("arm64") ? "aarch64" : arch;
        return "native/" + system + "-" + processor + "/" + System.mapLibraryName(NAME);
    }

    private static void loadFromJar() throws IOException {
        byte[] content;
        try (InputStream in = Library.class.getResourceAsStream(resource())) {
            if (in == null) {
                throw new LogfluxException("io.logflux:logflux has no native library for this platform ("
                        + resource() + "): build it with \"make java\", and name the file with -D" + PROPERTY);
            }
            content = in.readAllBytes();
        }
        String home = System.getProperty("user.home", "");
        Path[] places = {Path.of(System.getProperty("java.io.tmpdir", "/tmp")), Path.of(home, ".cache", "logflux")};
        StringBuilder tried = new StringBuilder();
        for (Path place : places) {
            try {
                loadFrom(content, place);
                return;
            } catch (IOException | UnsatisfiedLinkError e) {
                // A folder that allows no program, for one.
                tried.append(tried.length() == 0 ? "" : "; ").append(place).append(": ").append(e.getMessage());
            }
        }
        throw new LogfluxException("the native library can be loaded from no folder (" + tried
                + "): lay the file " + resource() + " of the jar somewhere, and name it with -D" + PROPERTY);
    }

    /**
     * Loads the library from a folder that only this user may read. The machine loads a file for one class loader
     * alone, so that every class loader has a copy of its own, which goes once it is loaded.
     */
    private static void loadFrom(byte[] content, Path place) throws IOException {
        Files.createDirectories(place);
        String prefix = "logflux-" + hash(content) + "-";
        boolean posix = Files.getFileStore(place).supportsFileAttributeView("posix");
        Set<PosixFilePermission> owner = PosixFilePermissions.fromString("rwx------");
        Path folder = posix
                ? Files.createTempDirectory(place, prefix, PosixFilePermissions.asFileAttribute(owner))
                : Files.createTempDirectory(place, prefix);
        Path file = folder.resolve(System.mapLibraryName(NAME));
        try {
            Path half = folder.resolve("half");
            Files.write(half, content);
            Files.move(half, file, StandardCopyOption.ATOMIC_MOVE);
            System.load(file.toAbsolutePath().toString());
        } finally {
            // What is loaded stays where it is mapped.
            Files.deleteIfExists(file);
            Files.deleteIfExists(folder);
        }
    }

    private static String hash(byte[] content) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(content);
            return HexFormat.of().formatHex(hash, 0, 6);
        } catch (NoSuchAlgorithmException e) {
            return "0";
        }
    }
}
