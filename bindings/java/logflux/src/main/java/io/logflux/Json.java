package io.logflux;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Writes JSON of whatever an application logs. It never fails, and takes a bounded time. */
final class Json {
    static final String UNFORMATTED = "[a value could not be formatted]";
    /** How deep fields may be. */
    private static final int DEPTH_MAX = 16;
    /** How many characters: escaped, each is 6 bytes at most, so that they fit into an entry. */
    static final int CHARS_MAX = 120_000;
    private static final char[] HEX = "0123456789abcdef".toCharArray();

    final StringBuilder out;
    /** How many values all fields of a line may have yet. */
    private int values = 10_000;
    private int chars = CHARS_MAX;
    /** The objects that the present one is in. */
    private final List<Object> path = new ArrayList<>();

    Json(int capacity) {
        this.out = new StringBuilder(capacity);
    }

    /** A text, cut where it is too long. */
    void text(String text, int max) {
        String fits = text.length() <= max ? text : text.substring(0, Math.max(max, 0)) + "…";
        out.append('"');
        for (int i = 0; i < fits.length(); i++) {
            char c = fits.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c >= 0x20) {
                out.append(c);
            } else if (c == '\n') {
                out.append("\\n");
            } else if (c == '\t') {
                out.append("\\t");
            } else if (c == '\r') {
                out.append("\\r");
            } else {
                out.append("\\u00").append(HEX[c >> 4]).append(HEX[c & 15]);
            }
        }
        out.append('"');
    }

    /** A member's name. */
    void name(String name) {
        text(name, CHARS_MAX);
        out.append(':');
    }

    private void bounded(String text) {
        int left = Math.max(chars, 0);
        chars -= text.length();
        text(text, left);
    }

    /** What a value is as text; words where it says nothing. */
    static String words(Object value) {
        try {
            String text = String.valueOf(value);
            return text == null ? "null" : text;
        } catch (Exception | StackOverflowError e) {
            return UNFORMATTED;
        }
    }

    void value(Object value) {
        int before = out.length();
        int depth = path.size();
        try {
            write(value);
        } catch (Exception | StackOverflowError e) {
            out.setLength(before);
            while (path.size() > depth) {
                path.remove(path.size() - 1);
            }
            bounded(UNFORMATTED);
        }
    }

    private void write(Object value) {
        if (value == null || value instanceof Boolean) {
            out.append(value);
        } else if (value instanceof Integer || value instanceof Long || value instanceof Short || value instanceof Byte) {
            out.append(value);
        } else if (value instanceof Double || value instanceof Float) {
            number(((Number) value).doubleValue(), value);
        } else if (value instanceof Map || value instanceof Iterable || value.getClass().isArray()) {
            nested(value);
        } else {
            bounded(words(value));
        }
    }

    private void number(double number, Object value) {
        if (Double.isFinite(number)) {
            out.append(value);
        } else {
            bounded(Double.isNaN(number) ? "NaN" : number > 0 ? "inf" : "-inf");
        }
    }

    private void nested(Object value) {
        if (path.size() >= DEPTH_MAX) {
            bounded("…");
            return;
        }
        for (Object outer : path) {
            if (outer == value) {
                bounded("[circular]");
                return;
            }
        }
        path.add(value);
        if (value instanceof Map) {
            object((Map<?, ?>) value);
        } else if (value instanceof byte[]) {
            bounded("[" + ((byte[]) value).length + " bytes]");
        } else if (value instanceof Iterable) {
            elements(((Iterable<?>) value).iterator());
        } else {
            array(value);
        }
        path.remove(path.size() - 1);
    }

    private void object(Map<?, ?> map) {
        out.append('{');
        members(map, true);
        out.append('}');
    }

    /** The members of a map. Gives whether none has been written yet. */
    boolean members(Map<?, ?> map, boolean first) {
        boolean none = first;
        for (Map.Entry<?, ?> member : map.entrySet()) {
            if (!none) {
                out.append(',');
            }
            none = false;
            if (--values < 0) {
                out.append("\"…\":\"…\"");
                break;
            }
            bounded(words(member.getKey()));
            out.append(':');
            value(member.getValue());
        }
        return none;
    }

    private void array(Object array) {
        int length = Array.getLength(array);
        out.append('[');
        for (int i = 0; i < length; i++) {
            out.append(i == 0 ? "" : ",");
            if (--values < 0) {
                out.append("\"…\"");
                break;
            }
            value(Array.get(array, i));
        }
        out.append(']');
    }

    private void elements(Iterator<?> iterator) {
        out.append('[');
        for (boolean first = true; iterator.hasNext(); first = false) {
            out.append(first ? "" : ",");
            if (--values < 0) {
                out.append("\"…\"");
                break;
            }
            value(iterator.next());
        }
        out.append(']');
    }
}
