package logflux;

import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;

/** The timestamps of entries. */
final class Time {
    private static final String FORM =
            "\\d{4}-\\d\\d-\\d\\dT([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?"
                    + "(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)";

    static OffsetDateTime read(String timestamp) {
        Refused.unless(timestamp.matches(FORM), "field");
        try {
            // An offset may have any hour of the day, and those of java.time end at 18.
            int end = timestamp.endsWith("Z") ? timestamp.length() - 1 : timestamp.length() - 6;
            OffsetDateTime local = LocalDateTime.parse(timestamp.substring(0, end)).atOffset(ZoneOffset.UTC);
            String offset = timestamp.endsWith("Z") ? "+00:00" : timestamp.substring(end);
            long minutes = Long.parseLong(offset.substring(1, 3)) * 60 + Long.parseLong(offset.substring(4));
            OffsetDateTime time = local.minusMinutes(offset.startsWith("-") ? -minutes : minutes);
            Refused.unless(local.getYear() >= 1 && time.getYear() >= 1 && time.getYear() <= 9999, "field");
            return time;
        } catch (DateTimeException wrong) {
            throw new Refused("field");
        }
    }

    /** The canonical form. */
    static String write(OffsetDateTime time) {
        String fraction = String.format(".%09d", time.getNano()).replaceFirst("(000)+$", "");
        String moment = String.format("%1$tY-%1$tm-%1$tdT%1$tH:%1$tM:%1$tS", time);
        return moment + (fraction.equals(".") ? "" : fraction) + "Z";
    }

    private Time() {}
}
