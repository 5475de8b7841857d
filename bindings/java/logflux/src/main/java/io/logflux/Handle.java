package io.logflux;

import java.lang.ref.Cleaner;

/** Something of the native half, which goes when its owner is collected. */
final class Handle {
    private static final Cleaner CLEANER = Cleaner.create();

    final long number;

    Handle(Object owner, long number) {
        this.number = number;
        CLEANER.register(owner, new Release(number));
    }

    /** Does something when an object is collected. */
    static Cleaner.Cleanable register(Object owner, Runnable action) {
        return CLEANER.register(owner, action);
    }

    private static final class Release implements Runnable {
        private final long number;

        Release(long number) {
            this.number = number;
        }

        @Override
        public void run() {
            Native.release(number);
        }
    }
}
