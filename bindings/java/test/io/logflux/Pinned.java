package io.logflux;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;

/** Counts the virtual threads that held their carriers, as the virtual machine records it. */
final class Pinned {
    private Pinned() {}

    static long during(ExecutorService threads, Consumer<ExecutorService> work) throws Exception {
        Path file = Files.createTempFile(Server.PLACE, "pinned-", ".jfr");
        try (Recording recording = new Recording()) {
            recording.enable("jdk.VirtualThreadPinned").withThreshold(Duration.ofMillis(20));
            recording.start();
            work.accept(threads);
            threads.shutdown();
            Runner.check(threads.awaitTermination(120, TimeUnit.SECONDS), "threads hang");
            recording.stop();
            recording.dump(file);
        }
        long pinned = RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals("jdk.VirtualThreadPinned")).count();
        Files.delete(file);
        return pinned;
    }
}
