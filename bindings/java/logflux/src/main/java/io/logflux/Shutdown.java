package io.logflux;

/**
 * The hook that flushes at the end of the machine. It closes nothing: what other hooks log is delivered by a
 * handler of the C library's, which comes after them. Once no client is open it is removed, since it would keep
 * the class loader.
 */
final class Shutdown {
    private static Thread hook;
    private static int open;

    private Shutdown() {}

    static synchronized void opened() {
        open++;
        if (hook != null) {
            return;
        }
        Thread made = new Thread(Native::flushAtExit, "logflux-shutdown");
        try {
            Runtime.getRuntime().addShutdownHook(made);
            hook = made;
        } catch (IllegalStateException | SecurityException e) {
            // It is ending already.
        }
    }

    static synchronized void closed() {
        open--;
        if (open > 0 || hook == null) {
            return;
        }
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
            hook = null;
        } catch (IllegalStateException | SecurityException e) {
            // It is ending already.
        }
    }
}
