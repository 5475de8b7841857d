package io.logflux;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waiting without a native frame, so that a virtual thread gives its carrier back. */
final class Waiting {
    private static final long SHORTEST = 100_000;
    private static final long LONGEST = 20_000_000;
    /** A hundred years: as good as for ever. */
    private static final long FOR_EVER = Duration.ofDays(36_500).toNanos();

    private Waiting() {}

    /** A duration that no clock overflows by; below zero it is zero. */
    static long nanoseconds(Duration duration) {
        if (duration.isNegative()) {
            return 0;
        }
        return duration.getSeconds() > FOR_EVER / 1_000_000_000 ? FOR_EVER : duration.toNanos();
    }

    /**
     * Waits until something is so, for so many nanoseconds at most. An interrupt ends no wait: the thread is
     * interrupted again afterwards.
     */
    static boolean until(BooleanSupplier condition, long timeout) {
        long begun = System.nanoTime();
        boolean interrupted = false;
        boolean done;
        for (long pause = SHORTEST; !(done = condition.getAsBoolean()); pause = Math.min(pause * 2, LONGEST)) {
            long left = timeout - (System.nanoTime() - begun);
            if (left <= 0) {
                break;
            }
            // It would not park otherwise.
            interrupted |= Thread.interrupted();
            LockSupport.parkNanos(Waiting.class, Math.min(pause, left));
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return done;
    }
}
