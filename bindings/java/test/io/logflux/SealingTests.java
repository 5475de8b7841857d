package io.logflux;

import static io.logflux.Runner.check;
import static io.logflux.Runner.equal;
import static io.logflux.Runner.thrown;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Sealing and opening. */
final class SealingTests {
    private SealingTests() {}

    @Runner.Test
    static void everyModeThereAndBack() {
        Secret secret = Secret.of("sécret");
        for (Mode mode : Mode.values()) {
            Sealer sealer = new Sealer(secret, "app", mode, KeyPolicy.unique());
            Entry entry = sealer.seal("grüße 😀", Level.NOTICE);
            equal("grüße 😀", new Opener(secret).open(entry));
            equal(entry, Entry.parse(entry.toJson()));
            check(entry.toJson().contains("\"encryption_mode\":" + mode.number()), entry);
        }
        Entry entry = Seal.seal("hello", "s", Level.INFO);
        equal("hello", Open.open(entry.toJson(), "s"));
        Entry dated = new Sealer(secret).seal(new byte[] {-1}, Level.of(1), Instant.parse("2026-01-02T03:04:05.123456789Z"));
        check(dated.toJson().contains("2026-01-02T03:04:05.123456789Z"), dated);
        equal("utf8", thrown(OpenException.class, () -> new Opener(secret).open(dated)).stage());
        equal(new byte[] {-1}, new Opener(secret).openBytes(Entry.bytes(dated.toJson())));
    }

    @Runner.Test
    static void manyAreOpenedTogetherAndErrorsStandInTheirPlaces() {
        Secret secret = Secret.generate();
        equal(64, secret.expose().length());
        Sealer sealer = new Sealer(secret, "app", Mode.HKDF, KeyPolicy.adaptive());
        List<Object> entries = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            entries.add(sealer.seal("line " + i, Level.INFO));
        }
        Opener opener = new Opener(new Keyring(Secret.of("newest"), secret));
        equal("line 999", opener.openMany(entries).get(999));
        entries.set(0, "{}");
        entries.set(1, "\ud800");
        entries.set(2, null);
        AtomicInteger told = new AtomicInteger();
        List<Opened> opened = opener.openMany(entries, true, told::set);
        equal(1000, told.get());
        check(opened.get(0).error() instanceof EntryException && "node".equals(opened.get(0).error().field()), opened.get(0));
        equal("json", opened.get(1).error().stage());
        equal("json", opened.get(2).error().stage());
        equal("line 3", opened.get(3).text());
        thrown(EntryException.class, () -> opener.openMany(entries));
        equal(List.of(), opener.openMany(List.of()));
    }

    @Runner.Test
    static void badInputIsAnExceptionThatShowsNothing() {
        Secret secret = Secret.of("hunter2 hunter2");
        Sealer sealer = new Sealer(secret, "app", Mode.HKDF, KeyPolicy.unique());
        for (String none : new String[] {"", "  ", "\n", "\ud800", null}) {
            thrown(SecretException.class, () -> Secret.of(none));
        }
        thrown(SecretException.class, () -> Secret.of((byte[]) null));
        thrown(SecretException.class, () -> new Keyring());
        equal("size", thrown(SealException.class, () -> sealer.seal("x".repeat(10_000_000), Level.INFO)).stage());
        equal("utf8", thrown(SealException.class, () -> sealer.seal("\udc00", Level.INFO)).stage());
        for (String node : new String[] {"", "\n", "x".repeat(256), "\ud800"}) {
            equal("node", thrown(EntryException.class, () -> new Sealer(secret, node, Mode.HKDF, KeyPolicy.unique())).field());
        }
        thrown(SettingsException.class, () -> new Sealer(secret, "n", Mode.PBKDF2, KeyPolicy.bounded(0, java.time.Duration.ZERO)));
        for (String json : new String[] {"", "null", "[]", "{", "\0", null}) {
            thrown(EntryException.class, () -> Entry.parse(json));
        }
        Entry entry = sealer.seal("message", Level.INFO);
        OpenException wrong = thrown(OpenException.class, () -> new Opener(Secret.of("other")).open(entry));
        check(!wrong.toString().contains("hunter2") && !secret.toString().contains("hunter2"), wrong);
        thrown(SettingsException.class, () -> Level.of(0));
        thrown(SettingsException.class, () -> Level.of("loud"));
        equal(Level.WARNING, Level.of("warn"));
        equal(Level.DEBUG, Level.of("8"));
    }
}
