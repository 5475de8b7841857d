package io.logflux;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The variables that are LogFlux's. */
final class Environment {
    /** What tests set in place of the environment. */
    static volatile Map<String, String> override;

    private Environment() {}

    /** Names and values in turn. */
    static String[] variables() {
        Map<String, String> all = override != null ? override : System.getenv();
        List<String> ours = new ArrayList<>();
        all.forEach((name, value) -> {
            if (name.startsWith("LOGFLUX_") && Text.isWellFormed(value)) {
                ours.add(name);
                ours.add(value);
            }
        });
        return ours.toArray(new String[0]);
    }
}
