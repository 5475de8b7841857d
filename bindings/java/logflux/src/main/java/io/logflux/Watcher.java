package io.logflux;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** Tells of drops and notices, which it asks for every second on a thread of its own. */
final class Watcher implements Runnable {
    private static final long SECOND = 1_000_000_000;

    private final int number;
    private final Consumer<Map<String, Long>> onDrop;
    private final Consumer<String> onNotice;
    private final Thread thread;
    private volatile boolean ended;
    private Map<String, Long> told;
    private long next;

    private Watcher(int number, Consumer<Map<String, Long>> onDrop, Consumer<String> onNotice) {
        this.number = number;
        this.onDrop = onDrop;
        this.onNotice = onNotice;
        this.told = Stats.of(number).dropped();
        this.next = Long.parseLong(Native.clientNotices(number, 0)[0]);
        this.thread = new Thread(this, "logflux-watch");
        this.thread.setDaemon(true);
    }

    /** Starts one, if somebody wants to be told. */
    static Watcher start(int number, Consumer<Map<String, Long>> onDrop, Consumer<String> onNotice) {
        if (onDrop == null && onNotice == null) {
            return null;
        }
        Watcher watcher = new Watcher(number, onDrop, onNotice);
        watcher.thread.start();
        return watcher;
    }

    @Override
    public void run() {
        while (!ended) {
            LockSupport.parkNanos(this, SECOND);
            tell();
        }
    }

    private synchronized void tell() {
        try {
            Map<String, Long> dropped = Stats.of(number).dropped();
            Map<String, Long> more = new LinkedHashMap<>();
            dropped.forEach((reason, count) -> {
                long fresh = count - told.getOrDefault(reason, 0L);
                if (fresh > 0) {
                    more.put(reason, fresh);
                }
            });
            told = dropped;
            if (onDrop != null && !more.isEmpty()) {
                onDrop.accept(more);
            }
            String[] notices = Native.clientNotices(number, next);
            next = Long.parseLong(notices[0]);
            for (int i = 1; onNotice != null && i < notices.length; i++) {
                onNotice.accept(notices[i]);
            }
        } catch (RuntimeException e) {
            // A callback that throws is the application's fault, which it hears of as of any other.
            Thread.UncaughtExceptionHandler handler = Thread.getDefaultUncaughtExceptionHandler();
            if (handler != null) {
                handler.uncaughtException(Thread.currentThread(), e);
            }
        }
    }

    void end() {
        ended = true;
        tell();
        LockSupport.unpark(thread);
    }
}
