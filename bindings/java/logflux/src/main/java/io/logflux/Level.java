package io.logflux;

import java.util.Locale;
import java.util.Map;

/** How severe a message is: the eight levels of syslog, numbered from 1. */
public enum Level {
    /** 1: the system is unusable. */
    EMERGENCY,
    /** 2: somebody must act at once. */
    ALERT,
    /** 3: a part has failed; {@code fatal} elsewhere. */
    CRITICAL,
    /** 4: an operation has failed. */
    ERROR,
    /** 5: something may fail. */
    WARNING,
    /** 6: normal, and worth to know. */
    NOTICE,
    /** 7: what goes on. */
    INFO,
    /** 8: for who looks for a fault. */
    DEBUG;

    private static final Level[] ALL = values();
    private static final Map<String, Level> OTHER_NAMES = Map.of("EMERG", EMERGENCY, "CRIT", CRITICAL, "FATAL",
            CRITICAL, "ERR", ERROR, "WARN", WARNING, "TRACE", DEBUG);

    /**
     * The number that an entry has for it.
     *
     * @return 1 to 8
     */
    public int number() {
        return ordinal() + 1;
    }

    /**
     * The level of a number.
     *
     * @param number 1 to 8
     * @return the level
     * @throws SettingsException where there is no such level
     */
    public static Level of(int number) {
        if (number < 1 || number > ALL.length) {
            throw new SettingsException("level: must be a number from 1 to 8");
        }
        return ALL[number - 1];
    }

    /**
     * The level of a name or a number as text; case does not count.
     *
     * @param name such as {@code warning}, {@code warn} or {@code 5}
     * @return the level
     * @throws SettingsException where there is no such level
     */
    public static Level of(String name) {
        String upper = name.toUpperCase(Locale.ROOT);
        for (Level level : ALL) {
            if (level.name().equals(upper) || Integer.toString(level.number()).equals(upper)) {
                return level;
            }
        }
        Level other = OTHER_NAMES.get(upper);
        if (other == null) {
            throw new SettingsException("level: must be 1 to 8, or emergency, alert, critical, error, warning, "
                    + "notice, info or debug");
        }
        return other;
    }
}
