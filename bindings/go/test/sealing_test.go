package test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	logflux "github.com/logflux/logflux/bindings/go"
)

func TestWhatIsSealedIsOpened(t *testing.T) {
	generated, err := logflux.GenerateSecret()
	check(t, err)
	at := time.Date(2024, 1, 17, 10, 30, 45, 123456789, time.UTC)
	message := logflux.Message{Node: "app-server-01", Level: logflux.LevelNotice, Time: at, Text: "User login successful"}
	entry, err := logflux.Seal(message, generated)
	check(t, err)
	opened, err := logflux.Open(entry, generated)
	check(t, err)
	if opened != message.Text {
		t.Errorf("%q", opened)
	}
	parsed, err := logflux.ParseEntry(entry)
	check(t, err)
	if want := (logflux.Entry{Node: message.Node, Level: message.Level, Mode: logflux.ModePBKDF2, Time: at}); parsed != want {
		t.Errorf("%+v", parsed)
	}
	if _, err := logflux.Open(entry, secret); !errors.Is(err, logflux.ErrAuthentication) {
		t.Errorf("%v", err)
	}
	for _, mode := range []logflux.Mode{logflux.ModeScrypt, logflux.ModeArgon2, logflux.ModeChaCha20Argon2, logflux.ModeHKDF} {
		sealer, err := logflux.NewSealer(secret, logflux.SealerOptions{Mode: mode, KeyPolicy: logflux.KeyPolicy{Kind: logflux.Bounded}})
		check(t, err)
		entry, err := sealer.Seal(logflux.Message{Text: "mode"})
		check(t, err)
		if opened, err := logflux.Open(entry, secret); opened != "mode" {
			t.Errorf("%d: %q, %v", mode, opened, err)
		}
	}
}

func TestManyAreOpenedTogether(t *testing.T) {
	sealer, err := logflux.NewSealer(secret, logflux.SealerOptions{Mode: logflux.ModeHKDF})
	check(t, err)
	var entries []string
	for at := range 5000 {
		entry, err := sealer.Seal(logflux.Message{Node: "n", Text: fmt.Sprint("line ", at)})
		check(t, err)
		entries = append(entries, entry)
	}
	entries[17], entries[18] = "{}", "no JSON"
	opener, err := logflux.NewOpener(logflux.NewKeyring("the newest", secret), logflux.OpenerOptions{})
	check(t, err)
	opened, err := opener.OpenMany(context.Background(), entries)
	check(t, err)
	for at, one := range opened {
		var wrong *logflux.EntryError
		switch {
		case at == 17 && (!errors.As(one.Err, &wrong) || wrong.Stage != "field" || wrong.Field != "node"),
			at == 18 && (!errors.As(one.Err, &wrong) || wrong.Stage != "json"),
			at != 17 && at != 18 && (one.Err != nil || one.Message != fmt.Sprint("line ", at)):
			t.Fatalf("%d: %+v", at, one)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if some, err := opener.OpenMany(ctx, entries); !errors.Is(err, context.Canceled) || len(some) != 0 {
		t.Errorf("%v, %d", err, len(some))
	}
	if stats := sealer.Stats(); stats.Derivations != 1 || stats.Unique+stats.Shared != 5000 {
		t.Errorf("%+v", stats)
	}
}

func TestMessagesOfAnyBytes(t *testing.T) {
	entry, err := logflux.Seal(logflux.Message{Text: "\xff\x00"}, secret)
	check(t, err)
	opener, err := logflux.NewOpener(logflux.NewKeyring(secret), logflux.OpenerOptions{})
	check(t, err)
	if bytes, err := opener.OpenBytes(entry); string(bytes) != "\xff\x00" {
		t.Errorf("%q, %v", bytes, err)
	}
	var wrong *logflux.OpenError
	if _, err := opener.Open(entry); !errors.As(err, &wrong) || wrong.Stage != "utf8" {
		t.Errorf("%v", err)
	}
}

func TestErrorsAreNamed(t *testing.T) {
	var (
		noSecret *logflux.SecretError
		tooLong  *logflux.SealError
		noEntry  *logflux.EntryError
		setting  *logflux.SettingsError
	)
	_, err := logflux.Seal(logflux.Message{Text: "x"}, " \t")
	if !errors.As(err, &noSecret) {
		t.Errorf("%v", err)
	}
	_, err = logflux.NewOpener(nil, logflux.OpenerOptions{})
	if !errors.As(err, &noSecret) {
		t.Errorf("%v", err)
	}
	_, err = logflux.Seal(logflux.Message{Text: strings.Repeat("x", 786_417)}, secret)
	if !errors.As(err, &tooLong) || tooLong.Stage != "size" {
		t.Errorf("%v", err)
	}
	for _, message := range []logflux.Message{{Node: "a\nb"}, {Level: 9}, {Time: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}} {
		if _, err = logflux.Seal(message, secret); !errors.As(err, &noEntry) {
			t.Errorf("%+v: %v", message, err)
		}
	}
	_, err = logflux.NewSealer(secret, logflux.SealerOptions{KeyPolicy: logflux.KeyPolicy{Budget: 2}})
	if !errors.As(err, &setting) {
		t.Errorf("%v", err)
	}
}

func TestASecretShowsNothing(t *testing.T) {
	config := shared.config("n")
	c := client(t, config)
	all, err := json.Marshal(map[string]any{"secret": config.Secret, "key": config.APIKey})
	check(t, err)
	shown := fmt.Sprintf("%v %+v %#v %s %x %q %v %+v %#v %s", config.Secret, config, config.Secret, config.Secret, config.Secret,
		config.APIKey, c, c, c, all)
	if strings.Contains(shown, "horse") || strings.Contains(shown, shared.key) || strings.Contains(shown, fmt.Sprintf("%x", secret)) {
		t.Error(shown)
	}
}
