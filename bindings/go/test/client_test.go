package test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	logflux "github.com/logflux/logflux/bindings/go"
)

func TestEveryLevelArrivesAsItWasLogged(t *testing.T) {
	node := newNode()
	c := client(t, shared.config(node))
	names := strings.Fields("emergency alert critical error warning notice info debug")
	log := []func(string, ...any){c.Emergency, c.Alert, c.Critical, c.Error, c.Warning, c.Notice, c.Info, c.Debug}
	for at, name := range names {
		log[at]("a line of " + name)
	}
	c.Info("with fields", "order", 17, "err", errors.New("card expired"), slog.Group("who", "id", 4711))
	check(t, c.Flush(within(time.Minute)))
	entries := shared.entries(t, node)
	if len(entries) != len(names)+1 {
		t.Fatalf("%d entries", len(entries))
	}
	for at, name := range names {
		if entries[at].Level.String() != name || entries[at].text(t) != "a line of "+name {
			t.Errorf("%s: %+v", name, entries[at])
		}
	}
	got := fmt.Sprint(entries[len(names)].object(t))
	if want := "map[fields:map[err:card expired order:17 who:map[id:4711]] message:with fields]"; got != want {
		t.Errorf("%s", got)
	}
	stats := c.Stats()
	conserved(t, stats)
	if stats.Delivered != 9 || stats.Dropped != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestTheClientOfTheProcess(t *testing.T) {
	logflux.Info("before Init: nowhere")
	node := newNode()
	config := shared.config(node)
	check(t, logflux.Init(config))
	first := logflux.Default()
	logflux.Info("first")
	check(t, logflux.Init(config))
	if logflux.Default() != first {
		t.Error("the same settings made another client")
	}
	config.Mode = logflux.ModePBKDF2
	check(t, logflux.Init(config))
	if logflux.Default() == first {
		t.Error("other settings made no other client")
	}
	logflux.Notice("second")
	check(t, logflux.Flush(within(time.Minute)))
	eventually(t, "the replaced client ends", func() bool { return first.Stats().Pending == 0 })
	if entries := shared.entries(t, node); len(entries) != 2 {
		t.Errorf("%v", entries)
	}
	check(t, logflux.Close(context.Background()))
	first.Info("late")
	if dropped := first.Stats().DroppedBy[logflux.DropClosed]; dropped != 1 {
		t.Errorf("%+v", first.Stats())
	}
	// One that is closed is not kept.
	check(t, logflux.Init(config))
	logflux.Info("third")
	check(t, logflux.Close(within(time.Minute)))
	if entries := shared.entries(t, node); len(entries) != 3 {
		t.Errorf("%v", entries)
	}
}

func TestAFlushTellsTheTruth(t *testing.T) {
	config := shared.config(newNode())
	config.ServerURL = "https://127.0.0.1:1"
	config.CloseTimeout = logflux.None
	c := client(t, config)
	c.Info("to nobody")
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	err := c.Flush(ctx)
	var unflushed *logflux.FlushError
	if !errors.As(err, &unflushed) || unflushed.Left != 1 || !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	err = c.Close(context.Background())
	if !errors.As(err, &unflushed) || unflushed.Dropped != 1 || unflushed.Left != 0 {
		t.Fatalf("%v", err)
	}
	if again := c.Close(context.Background()); again == nil || again.Error() != err.Error() {
		t.Errorf("%v, and then %v", err, again)
	}
	conserved(t, c.Stats())
}

func TestDropsAndSentencesAreTold(t *testing.T) {
	var (
		lock      sync.Mutex
		dropped   = map[logflux.DropReason]uint64{}
		sentences []string
	)
	config := shared.config(newNode())
	config.APIKey = "lf_00000000000000000000000000000000"
	config.QueueSize = 1
	config.OnDrop = func(counts map[logflux.DropReason]uint64) {
		lock.Lock()
		defer lock.Unlock()
		for reason, count := range counts {
			dropped[reason] += count
		}
	}
	config.OnNotice = func(sentence string) {
		lock.Lock()
		defer lock.Unlock()
		sentences = append(sentences, sentence)
	}
	c := client(t, config)
	for range 1000 {
		c.Info("more than there is room for")
	}
	told := func(what string) bool {
		lock.Lock()
		defer lock.Unlock()
		return strings.Contains(strings.Join(sentences, "\n"), what)
	}
	eventually(t, "the refusal is told", func() bool { return told("API key") })
	eventually(t, "the drops are told", func() bool { return told("queue full") })
	_ = c.Close(within(time.Second))
	lock.Lock()
	defer lock.Unlock()
	stats := c.Stats()
	conserved(t, stats)
	if stats.Dropped != 1000 || dropped[logflux.DropQueueFull] != stats.DroppedBy[logflux.DropQueueFull] {
		t.Errorf("%+v, %v", stats, dropped)
	}
}

func TestAClientThatNobodyKnowsDeliversFirst(t *testing.T) {
	node := newNode()
	func() {
		c, err := logflux.New(shared.config(node))
		check(t, err)
		c.Info("and it is gone")
	}()
	eventually(t, "the line arrives", func() bool {
		runtime.GC()
		return len(shared.entries(t, node)) == 1
	})
}

func TestRotation(t *testing.T) {
	node := newNode()
	c := client(t, shared.config(node))
	c.Info("under the old secret")
	check(t, c.Flush(within(time.Minute)))
	check(t, c.Rotate(logflux.Rotation{Secret: "another secret", APIKey: logflux.APIKey(shared.key), CAFile: shared.ca()}))
	c.Info("under the new secret")
	check(t, c.Flush(within(time.Minute)))
	if stats := c.Stats(); stats.Delivered != 2 {
		t.Errorf("%+v", stats)
	}
	if texts := shared.texts(t, node, secret, "another secret"); texts != "under the old secret\nunder the new secret\n" {
		t.Errorf("%q", texts)
	}
	for field, to := range map[string]logflux.Rotation{
		"APIKey": {APIKey: "lf_short"}, "CAFile": {CAFile: filepath.Join(t.TempDir(), "none.pem")},
	} {
		var wrong *logflux.SettingsError
		if err := c.Rotate(to); !errors.As(err, &wrong) || wrong.Setting != field || !strings.HasPrefix(err.Error(), "logflux: "+field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := c.Rotate(logflux.Rotation{}); err == nil {
		t.Error("nothing to rotate to is no error")
	}
}

func TestALoggingCallAllocatesNothing(t *testing.T) {
	c := client(t, shared.config(newNode()))
	message := strings.Repeat("x", 256)
	logger := slog.New(logflux.NewHandler(c, nil))
	ctx := context.Background()
	for name, call := range map[string]func(){
		"Info":           func() { c.Info(message) },
		"Info, fields":   func() { c.Info(message, "user", "u1", "ok", true) },
		"not logged":     func() { c.Log(9, message) },
		"slog":           func() { logger.LogAttrs(ctx, slog.LevelInfo, message, slog.Int("order", 17)) },
		"slog, disabled": func() { logger.Log(ctx, slog.LevelDebug-100, message) },
	} {
		if allocated := testing.AllocsPerRun(1000, call); allocated >= 1 {
			t.Errorf("%s: %v allocations", name, allocated)
		}
	}
}

func TestManyGoroutinesLogWhileItIsClosed(t *testing.T) {
	lines := 2_000
	if long {
		lines = 100_000
	}
	node := newNode()
	config := shared.config(node)
	config.QueueSize = 100_000
	c := client(t, config)
	var all sync.WaitGroup
	for range 64 {
		all.Add(1)
		go func() {
			defer all.Done()
			for at := range lines {
				c.Info("line", "at", at)
			}
		}()
	}
	time.Sleep(20 * time.Millisecond)
	err := c.Close(within(2 * time.Minute))
	all.Wait()
	stats := c.Stats()
	conserved(t, stats)
	if stats.Accepted != uint64(64*lines) || stats.Pending != 0 || (err == nil) != (stats.Dropped == stats.DroppedBy[logflux.DropClosed]) && stats.DroppedBy[logflux.DropQueueFull] == 0 {
		t.Errorf("%v, %+v", err, stats)
	}
	if entries := shared.entries(t, node); uint64(len(entries)) != stats.Delivered {
		t.Errorf("%d entries, %+v", len(entries), stats)
	}
}

func TestNoClientDoesNothing(t *testing.T) {
	var c *logflux.Client
	c.Info("nowhere", "a", 1)
	c.LogEvent(logflux.Event{Level: logflux.LevelInfo})
	check(t, c.Flush(context.Background()))
	check(t, c.Close(context.Background()))
	if c.IsEnabled(logflux.LevelInfo) || c.Stats().Accepted != 0 || c.Rotate(logflux.Rotation{Secret: "x"}) == nil {
		t.Error("it does something")
	}
}
