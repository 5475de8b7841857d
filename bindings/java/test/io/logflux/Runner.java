package io.logflux;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Runs the tests of this folder. Arguments name tests by a part of their names. */
public final class Runner {
    /** A test: a static method without parameters. */
    @Retention(RetentionPolicy.RUNTIME)
    @interface Test {}

    private static final List<Class<?>> ALL = List.of(SealingTests.class, SettingsTests.class, ClientTests.class,
            HostileTests.class, LoadingTests.class, ExitTests.class, AppenderTests.class,
            SpringTests.class);

    private Runner() {}

    public static void main(String[] names) throws Exception {
        int passed = 0;
        int failed = 0;
        for (Class<?> tests : ALL) {
            Method[] methods = tests.getDeclaredMethods();
            Arrays.sort(methods, Comparator.comparing(Method::getName));
            for (Method method : methods) {
                String name = tests.getSimpleName() + "." + method.getName();
                boolean wanted = names.length == 0 || Arrays.stream(names).anyMatch(name::contains);
                if (!wanted || !method.isAnnotationPresent(Test.class)) {
                    continue;
                }
                long begun = System.nanoTime();
                try {
                    method.invoke(null);
                    passed++;
                    System.out.printf("ok   %s (%.1f s)%n", name, (System.nanoTime() - begun) / 1e9);
                } catch (InvocationTargetException e) {
                    failed++;
                    System.out.println("FAIL " + name);
                    e.getCause().printStackTrace(System.out);
                }
            }
        }
        Server.stopAll();
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 && passed > 0 ? 0 : 1);
    }

    static void check(boolean holds, Object... what) {
        if (!holds) {
            throw new AssertionError(Arrays.deepToString(what));
        }
    }

    static void equal(Object expected, Object found) {
        check(java.util.Objects.deepEquals(expected, found), "expected", expected, "found", found);
    }

    /** The exception of this class that some work throws. */
    static <T extends Throwable> T thrown(Class<T> kind, Runnable work) {
        try {
            work.run();
        } catch (Throwable e) {
            check(kind.isInstance(e), kind, e);
            return kind.cast(e);
        }
        throw new AssertionError("nothing was thrown, and not a " + kind.getSimpleName());
    }

    /** Waits until a condition holds. */
    static void waitFor(java.util.function.BooleanSupplier condition) throws InterruptedException {
        long begun = System.nanoTime();
        while (!condition.getAsBoolean()) {
            check(System.nanoTime() - begun < 60_000_000_000L, "it did not come to pass");
            Thread.sleep(10);
        }
    }
}
