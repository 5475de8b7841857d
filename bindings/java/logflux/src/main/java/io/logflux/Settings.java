package io.logflux;

import java.util.HashSet;
import java.util.Set;

/** The table of settings, which is the native half's. */
final class Settings {
    /** How many texts a row has. */
    static final int COLUMNS = 9;
    static final String[] TABLE = table();
    static final Set<String> NAMES = names();

    private Settings() {}

    private static String[] table() {
        Library.need();
        return Native.settings();
    }

    private static Set<String> names() {
        Set<String> names = new HashSet<>();
        for (int at = 0; at < TABLE.length; at += COLUMNS) {
            names.add(TABLE[at]);
        }
        return names;
    }
}
