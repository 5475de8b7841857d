package io.logflux;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.IntConsumer;

/** Opens entries with one or more secrets, and remembers keys. Threads may share it. */
public final class Opener {
    private final Handle handle;

    /**
     * An opener of one secret.
     *
     * @param secret the secret
     */
    public Opener(Secret secret) {
        this(new Keyring(secret));
    }

    /**
     * An opener that tries every secret.
     *
     * @param keyring the secrets
     */
    public Opener(Keyring keyring) {
        this(keyring, 0, 0);
    }

    /**
     * An opener.
     *
     * @param keyring the secrets
     * @param remember how many keys it remembers; 0 is 4,096
     * @param threads how many threads open many entries; 0 is one a core
     */
    public Opener(Keyring keyring, int remember, int threads) {
        if (remember < 0) {
            throw new SettingsException("remember: must be 0 or more");
        }
        if (threads < 0) {
            throw new SettingsException("threads: must be 0 or more");
        }
        Library.need();
        this.handle = new Handle(this, Native.openerNew(keyring.handle.number, remember, threads));
        Reference.reachabilityFence(keyring);
    }

    /**
     * Opens an entry whose message is text.
     *
     * @param entry the entry
     * @return its message
     * @throws OpenException where no secret opens it, or it is no text
     */
    public String open(Entry entry) {
        return open(entry.toJson());
    }

    /**
     * Opens an entry whose message is text.
     *
     * @param json the entry
     * @return its message
     * @throws LogfluxException where it is no entry, no secret opens it, or it is no text
     */
    public String open(String json) {
        return Text.of(open(Entry.bytes(json), true));
    }

    /**
     * Opens an entry whose message is text.
     *
     * @param json the entry in UTF-8
     * @return its message
     * @throws LogfluxException where it is no entry, no secret opens it, or it is no text
     */
    public String open(byte[] json) {
        return Text.of(open(json, true));
    }

    /**
     * Opens an entry whatever its message's bytes are.
     *
     * @param json the entry in UTF-8
     * @return its message
     * @throws LogfluxException where it is no entry, or no secret opens it
     */
    public byte[] openBytes(byte[] json) {
        return open(json, false);
    }

    byte[] open(byte[] json, boolean asText) {
        try {
            return Native.openerOpen(handle.number, Entry.given(json), asText);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Opens many entries on all cores.
     *
     * @param entries each an {@link Entry}, or JSON as {@code String} or {@code byte[]}
     * @return their messages, in their order
     * @throws LogfluxException the first where one was not opened
     */
    public List<String> openMany(Collection<?> entries) {
        List<String> texts = new ArrayList<>(entries.size());
        for (Opened opened : openMany(entries, true, done -> {})) {
            texts.add(opened.text());
        }
        return texts;
    }

    /**
     * Opens many entries on all cores.
     *
     * @param entries each an {@link Entry}, or JSON as {@code String} or {@code byte[]}
     * @param asText whether a message that is no text is an error
     * @param progress told how many are open, now and then
     * @return what became of each, in their order
     */
    public List<Opened> openMany(Collection<?> entries, boolean asText, IntConsumer progress) {
        List<LogfluxException> unreadable = new ArrayList<>(entries.size());
        byte[][] readable = new byte[entries.size()][];
        int index = 0;
        for (Object entry : entries) {
            LogfluxException error = null;
            byte[] json = {};
            try {
                json = entry instanceof byte[] ? (byte[]) entry : Entry.bytes(entry == null ? null : entry.toString());
            } catch (LogfluxException e) {
                error = e;
            }
            unreadable.add(error);
            readable[index++] = json;
        }
        long many = Native.openManyBegin(handle.number, readable, asText);
        try {
            Waiting.until(() -> {
                int done = Native.openManyDone(many);
                progress.accept(done < 0 ? readable.length : done);
                return done < 0;
            }, Long.MAX_VALUE);
            List<Opened> opened = new ArrayList<>(readable.length);
            for (Object result : Native.openManyResult(many)) {
                LogfluxException own = unreadable.get(opened.size());
                opened.add(own != null ? new Opened(null, own)
                        : result instanceof byte[] ? new Opened((byte[]) result, null)
                        : new Opened(null, (LogfluxException) result));
            }
            return opened;
        } finally {
            Native.release(many);
            Reference.reachabilityFence(this);
        }
    }
}
