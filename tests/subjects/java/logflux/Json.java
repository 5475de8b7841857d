package logflux;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Strict JSON: distinct keys, and numbers as they are written. The JDK has none. */
public final class Json {
    /** A number, as it is written. */
    public record Number(String text) {
        boolean isInteger() {
            return text.matches("-?\\d+");
        }
    }

    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?");
    private static final int DEEPEST = 500;

    private final String source;
    private int at;

    private Json(String source) {
        this.source = source;
    }

    /** Reads one value. */
    public static Object read(String source) {
        Json json = new Json(source);
        Object value = json.value(0);
        Refused.unless(json.peek() == 0, "json");
        return value;
    }

    /** The next character that is not white space, or 0 at the end. */
    private char peek() {
        while (at < source.length() && " \t\n\r".indexOf(source.charAt(at)) >= 0) {
            at++;
        }
        Refused.unless(at >= source.length() || source.charAt(at) != 0, "json");
        return at < source.length() ? source.charAt(at) : 0;
    }

    private boolean take(char c) {
        boolean there = peek() == c;
        at += there ? 1 : 0;
        return there;
    }

    private Object value(int depth) {
        Refused.unless(depth < DEEPEST, "json");
        if (take('{')) {
            Map<String, Object> object = new HashMap<>();
            for (boolean first = true; !take('}'); first = false) {
                Refused.unless((first || take(',')) && take('"'), "json");
                String key = string();
                Refused.unless(!object.containsKey(key) && take(':'), "json");
                object.put(key, value(depth + 1));
            }
            return object;
        }
        if (take('[')) {
            List<Object> array = new ArrayList<>();
            for (boolean first = true; !take(']'); first = false) {
                Refused.unless(first || take(','), "json");
                array.add(value(depth + 1));
            }
            return array;
        }
        if (take('"')) {
            return string();
        }
        for (String word : new String[] {"true", "false", "null"}) {
            if (source.startsWith(word, at)) {
                at += word.length();
                return word.equals("null") ? null : word.equals("true");
            }
        }
        Matcher number = NUMBER.matcher(source).region(at, source.length());
        Refused.unless(number.lookingAt(), "json");
        at = number.end();
        return new Number(number.group());
    }

    /** What follows a quotation mark. */
    private String string() {
        StringBuilder text = new StringBuilder();
        while (true) {
            Refused.unless(at < source.length(), "json");
            char c = source.charAt(at++);
            if (c == '"') {
                break;
            }
            Refused.unless(c >= ' ', "json");
            text.append(c == '\\' ? escape() : c);
        }
        Refused.unless(text.codePoints().noneMatch(p -> p >= 0xd800 && p <= 0xdfff), "json");
        return text.toString();
    }

    private char escape() {
        Refused.unless(at < source.length(), "json");
        char c = source.charAt(at++);
        if (c == 'u') {
            String digits = source.substring(at, Math.min(at + 4, source.length()));
            Refused.unless(digits.matches("[0-9a-fA-F]{4}"), "json");
            at += 4;
            return (char) Integer.parseInt(digits, 16);
        }
        int known = "\"\\/bfnrt".indexOf(c);
        Refused.unless(known >= 0, "json");
        return "\"\\/\b\f\n\r\t".charAt(known);
    }
}
