package io.logflux;

import java.nio.charset.StandardCharsets;

/** Text as the native half takes it. */
final class Text {
    /** The longest message that an entry can hold, in bytes; text has at most as many characters. */
    static final int MESSAGE_MAX = 786_416;

    private Text() {}

    static boolean isWellFormed(String text) {
        return firstLone(text, 0) < 0;
    }

    /** The usual case, and a loop without an end before the last character, which the machine makes fast code of. */
    private static boolean isAscii(String text) {
        int bits = 0;
        for (int i = 0; i < text.length(); i++) {
            bits |= text.charAt(i);
        }
        return bits < 0x80;
    }

    /** Where half a surrogate pair stands, from an index on; -1 where none does. */
    private static int firstLone(String text, int from) {
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!Character.isSurrogate(c)) {
                continue;
            }
            boolean pair = Character.isHighSurrogate(c) && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1));
            if (!pair) {
                return i;
            }
            i++;
        }
        return -1;
    }

    /**
     * The UTF-8 of a message. Half a surrogate pair becomes U+FFFD. What is too long for an entry is dropped and
     * counted, and need not be copied for it.
     */
    static byte[] utf8(String text) {
        String message = text == null ? "null" : text;
        if (message.length() > MESSAGE_MAX) {
            message = message.substring(0, MESSAGE_MAX + 1);
        }
        int lone = isAscii(message) ? -1 : firstLone(message, 0);
        if (lone >= 0) {
            StringBuilder whole = new StringBuilder(message);
            for (; lone >= 0; lone = firstLone(message, lone + 1)) {
                whole.setCharAt(lone, '\ufffd');
            }
            message = whole.toString();
        }
        return message.getBytes(StandardCharsets.UTF_8);
    }

    static String of(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }
}
