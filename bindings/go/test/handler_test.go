package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	logflux "github.com/logflux/logflux/bindings/go"
	logfluxzap "github.com/logflux/logflux/bindings/go/zap"
	logfluxzerolog "github.com/logflux/logflux/bindings/go/zerolog"
)

// The time and the level of a record are the entry's, its attributes are fields.
func TestSlogsOwnTests(t *testing.T) {
	var (
		node string
		c    *logflux.Client
	)
	handler := func(t *testing.T) slog.Handler {
		node = newNode()
		c = client(t, shared.config(node))
		return logflux.NewHandler(c, nil)
	}
	result := func(t *testing.T) map[string]any {
		check(t, c.Flush(within(time.Minute)))
		entries := shared.entries(t, node)
		if len(entries) != 1 {
			t.Fatalf("%d entries", len(entries))
		}
		object := entries[0].object(t)
		found := map[string]any{slog.LevelKey: entries[0].Level.String(), slog.MessageKey: object["message"]}
		at, err := time.Parse(time.RFC3339Nano, entries[0].Timestamp)
		check(t, err)
		// A record without a time is logged now; the test wants none then.
		if !strings.Contains(t.Name(), "zero-time") {
			found[slog.TimeKey] = at
		}
		if fields, ok := object["fields"].(map[string]any); ok {
			for name, value := range fields {
				found[name] = value
			}
		}
		return found
	}
	slogtest.Run(t, handler, result)
}

func TestOptionsOfSlog(t *testing.T) {
	node := newNode()
	c := client(t, shared.config(node))
	logger := slog.New(logflux.NewHandler(c, &slog.HandlerOptions{
		AddSource: true,
		Level:     slog.LevelWarn,
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			if attr.Key == "password" {
				return slog.String("password", strings.Join(groups, ".")+" [redacted]")
			}
			return attr
		},
	}))
	logger.Info("below the level")
	logger.WithGroup("login").With("password", "1").Error("refused", slog.Group("deep", "password", "2"), "password", "3", "id", 1)
	check(t, c.Flush(within(time.Minute)))
	entries := shared.entries(t, node)
	if len(entries) != 1 || entries[0].Level != logflux.LevelError {
		t.Fatalf("%v", entries)
	}
	object := entries[0].object(t)
	fields, _ := json.Marshal(object["fields"])
	want := `{"login":{"deep":{"password":"login.deep [redacted]"},"id":1,"password":"login [redacted]"}}`
	if string(fields) != want {
		t.Errorf("%s", fields)
	}
	source := object["source"].(map[string]any)
	if !strings.HasSuffix(source["file"].(string), "handler_test.go") || source["line"].(float64) < 1 || !strings.Contains(source["function"].(string), "TestOptionsOfSlog") {
		t.Errorf("%v", source)
	}
}

func TestTheLevelsOfSlog(t *testing.T) {
	for level, want := range map[slog.Level]logflux.Level{
		-8: logflux.LevelDebug, -4: logflux.LevelDebug, -1: logflux.LevelDebug, 0: logflux.LevelInfo, 1: logflux.LevelInfo,
		2: logflux.LevelNotice, 3: logflux.LevelNotice, 4: logflux.LevelWarning, 7: logflux.LevelWarning,
		8: logflux.LevelError, 11: logflux.LevelError, 12: logflux.LevelCritical, 100: logflux.LevelCritical,
	} {
		if got := logflux.FromSlog(level); got != want {
			t.Errorf("%d: %v", level, got)
		}
	}
}

func TestEveryLevelOfZap(t *testing.T) {
	node := newNode()
	c := client(t, shared.config(node))
	logger := zap.New(logfluxzap.NewCore(c, zapcore.DebugLevel), zap.WithFatalHook(zapcore.WriteThenPanic)).Named("shop")
	logger.Debug("debug")
	logger.Info("info", zap.Int("order", 17), zap.Duration("took", time.Second), zap.Error(errors.New("no")))
	logger.With(zap.Namespace("who"), zap.String("id", "x")).Warn("warn", zap.Bool("ok", true))
	logger.Error("error")
	logger.DPanic("dpanic")
	for _, log := range []func(string, ...zap.Field){logger.Panic, logger.Fatal} {
		func() {
			defer func() { _ = recover() }()
			log("the end")
		}()
		// It has waited for the server.
		if stats := c.Stats(); stats.Delivered != stats.Accepted {
			t.Errorf("%+v", stats)
		}
	}
	want := []string{
		"debug map[message:debug target:shop]",
		"info map[fields:map[error:no order:17 took:1s] message:info target:shop]",
		"warning map[fields:map[who:map[id:x ok:true]] message:warn target:shop]",
		"error map[message:error target:shop]",
		"critical map[message:dpanic target:shop]",
		"critical map[message:the end target:shop]",
		"critical map[message:the end target:shop]",
	}
	compare(t, node, want)
}

func TestEveryLevelOfZerolog(t *testing.T) {
	node := newNode()
	c := client(t, shared.config(node))
	logger := zerolog.New(logfluxzerolog.NewWriter(c)).With().Timestamp().Logger()
	logger.Trace().Msg("trace")
	logger.Debug().Msg("debug")
	logger.Info().Int("order", 17).Msg("info")
	logger.Warn().Err(errors.New("no")).Msg("warn")
	logger.Error().Msg("error")
	func() {
		defer func() { _ = recover() }()
		logger.Panic().Msg("panic")
	}()
	if stats := c.Stats(); stats.Delivered != 6 {
		t.Errorf("%+v", stats)
	}
	_, err := logfluxzerolog.NewWriter(c).Write([]byte("no JSON\n"))
	check(t, err)
	check(t, c.Flush(within(time.Minute)))
	entries := shared.entries(t, node)
	if last := entries[len(entries)-1]; last.text(t) != "no JSON" || last.Level != logflux.LevelInfo {
		t.Errorf("%+v", last)
	}
	want := []string{
		"debug map[message:trace]", "debug map[message:debug]", "info map[fields:map[order:17] message:info]",
		"warning map[fields:map[error:no] message:warn]", "error map[message:error]", "critical map[message:panic]",
	}
	compareAll(t, entries[:len(entries)-1], want)
}

func compare(t *testing.T, node string, want []string) {
	t.Helper()
	compareAll(t, shared.entries(t, node), want)
}

func compareAll(t *testing.T, entries []entry, want []string) {
	t.Helper()
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Level.String()+" "+fmt.Sprint(entry.object(t)))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

func TestTheHandlerTakesTheClientOfTheProcess(t *testing.T) {
	logger := slog.New(logflux.NewHandler(nil, nil))
	node := newNode()
	check(t, logflux.Init(shared.config(node)))
	logger.Error("somewhere")
	check(t, logflux.Close(within(time.Minute)))
	if entries := shared.entries(t, node); len(entries) != 1 {
		t.Errorf("%v", entries)
	}
}
