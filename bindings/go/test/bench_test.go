package test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	logflux "github.com/logflux/logflux/bindings/go"
	logfluxzap "github.com/logflux/logflux/bindings/go/zap"
)

// TestCost measures what a call costs where LOGFLUX_TEST_BENCH is 1, as `make bench-go` sets it.
func TestCost(t *testing.T) {
	if os.Getenv("LOGFLUX_TEST_BENCH") != "1" {
		t.Skip("it measures; make bench-go runs it")
	}
	const batch, batches = 100, 2000
	config := shared.config(newNode())
	c := client(t, config)
	message := strings.Repeat("x", 256)
	ctx := context.Background()
	ours := slog.New(logflux.NewHandler(c, nil))
	theirs := slog.New(slog.NewJSONHandler(io.Discard, nil))
	zapped := zap.New(logfluxzap.NewCore(c, zapcore.DebugLevel))
	discarded := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zapcore.DebugLevel))
	calls := []struct {
		name string
		call func()
	}{
		{"client.Info, 256 B", func() { c.Info(message) }},
		{"client.Info, 256 B and two fields", func() { c.Info(message, "user", "u1", "ok", true) }},
		{"log/slog to LogFlux, 256 B and two fields", func() {
			ours.LogAttrs(ctx, slog.LevelInfo, message, slog.String("user", "u1"), slog.Bool("ok", true))
		}},
		{"log/slog's JSON to io.Discard, 256 B", func() { theirs.Info(message) }},
		{"log/slog's JSON to io.Discard, 256 B and two fields", func() {
			theirs.LogAttrs(ctx, slog.LevelInfo, message, slog.String("user", "u1"), slog.Bool("ok", true))
		}},
		{"zap to LogFlux, 256 B and two fields", func() { zapped.Info(message, zap.String("user", "u1"), zap.Bool("ok", true)) }},
		{"zap's JSON to io.Discard, 256 B and two fields", func() { discarded.Info(message, zap.String("user", "u1"), zap.Bool("ok", true)) }},
	}
	times := make([][]time.Duration, len(calls))
	for range batches {
		for at, call := range calls {
			begun := time.Now()
			for range batch {
				call.call()
			}
			times[at] = append(times[at], time.Since(begun)/batch)
			if c.Stats().Pending > 5000 {
				_ = c.Flush(within(time.Minute))
			}
		}
	}
	for at, call := range calls {
		slices.Sort(times[at])
		fmt.Printf("%-55s %5d ns (p50) %6d ns (p99)\n", call.name, times[at][batches/2].Nanoseconds(), times[at][batches*99/100].Nanoseconds())
	}
	if dropped := c.Stats().Dropped; dropped != 0 {
		t.Errorf("%d dropped", dropped)
	}
}
