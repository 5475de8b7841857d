package test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	logflux "github.com/logflux/logflux/bindings/go"
)

type (
	panics    struct{}
	badJSON   struct{}
	recursive struct{ Next *recursive }
	loop      struct{}
	hidden    struct {
		Shown  string `json:"shown"`
		secret string
		Left   int    `json:"-"`
		Empty  string `json:",omitempty"`
	}
)

func (panics) Error() string                 { panic("on purpose") }
func (panics) String() string                { panic("on purpose") }
func (panics) MarshalJSON() ([]byte, error)  { panic("on purpose") }
func (badJSON) MarshalJSON() ([]byte, error) { return []byte("{"), nil }
func (loop) LogValue() slog.Value            { return slog.AnyValue(loop{}) }

type valuePanics struct{}

func (valuePanics) LogValue() slog.Value { panic("on purpose") }

func values() []any {
	cycle := &recursive{}
	cycle.Next = cycle
	nested := map[string]any{}
	nested["self"] = nested
	var list any
	for range 100 {
		list = []any{list}
	}
	var none *recursive
	var noError error
	return []any{
		nil, panics{}, &panics{}, badJSON{}, cycle, nested, list, none, noError, loop{}, valuePanics{}, hidden{"s", "x", 1, ""},
		math.NaN(), math.Inf(1), math.Inf(-1), int64(math.MinInt64), uint64(math.MaxUint64), complex(1, 2), make(chan int), func() {},
		"\xff\xfe", strings.Repeat("\x00", 200_000), strings.Repeat("😀", 100_000), []byte("bytes"), [3]int{1, 2, 3},
		make([]int, 1_000_000), map[int]string{1: "a"}, time.Now(), time.Second, time.Time{}, errors.New("e"), slog.IntValue(1),
		reflect.ValueOf(1), struct{}{}, json.RawMessage("{"), slog.GroupValue(slog.Any("x", panics{})), &list, any(&nested),
	}
}

func TestNothingThatIsLoggedPanicsOrTakesLong(t *testing.T) {
	node := newNode()
	config := shared.config(node)
	config.QueueBytes = 1 << 30
	c := client(t, config)
	logger := slog.New(logflux.NewHandler(c, nil))
	count := 0
	log := func(args ...any) {
		begun := time.Now()
		c.Info("hostile", args...)
		logger.With(args...).WithGroup("g").Info("hostile", args...)
		// A stuck one would take for ever; a busy machine takes its time.
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%v", took)
		}
		count += 2
	}
	for _, value := range values() {
		log("value", value)
		log(value)
		log(value, value, value)
	}
	random := rand.New(rand.NewPCG(1, 2))
	all := values()
	for range 300 {
		var args []any
		for range 1 + random.IntN(6) {
			args = append(args, all[random.IntN(len(all))])
		}
		log(args...)
	}
	check(t, c.Flush(within(2*time.Minute)))
	stats := c.Stats()
	conserved(t, stats)
	if stats.Delivered != uint64(count) {
		t.Errorf("%d logged, %+v", count, stats)
	}
	// Every line is JSON, and text.
	for _, entry := range shared.entries(t, node) {
		entry.object(t)
	}
}

func TestWordsOfWhatIsNoJSON(t *testing.T) {
	node := newNode()
	c := client(t, shared.config(node))
	c.Info("\xffmessage", "nan", math.NaN(), "panics", panics{}, "hidden", hidden{"s", "x", 1, ""}, "bytes", []byte("ab"), "odd")
	c.Info("\xff plain")
	check(t, c.Flush(within(time.Minute)))
	entries := shared.entries(t, node)
	fields, _ := json.Marshal(entries[0].object(t)["fields"])
	want := `{"!BADKEY":"odd","bytes":"[2 bytes]","hidden":{"shown":"s"},"nan":"NaN","panics":"[a value could not be formatted]"}`
	if string(fields) != want {
		t.Errorf("%s", fields)
	}
	if entries[1].text(t) != "\uFFFD plain" {
		t.Errorf("%q", entries[1].text(t))
	}
}

func TestLongMessages(t *testing.T) {
	node := newNode()
	c := client(t, shared.config(node))
	c.Info(strings.Repeat("x", 10<<20))
	c.Info(strings.Repeat("x", 10<<20), "with", "fields")
	c.Info("fields", "long", strings.Repeat("y", 10<<20))
	c.Info("")
	c.Log(0, "no level")
	c.Log(9, "no level")
	err := c.Flush(within(time.Minute))
	var unflushed *logflux.FlushError
	if !errors.As(err, &unflushed) || unflushed.Dropped != 2 {
		t.Errorf("%v", err)
	}
	stats := c.Stats()
	conserved(t, stats)
	if stats.DroppedBy[logflux.DropTooLong] != 2 || stats.Delivered != 2 {
		t.Errorf("%+v", stats)
	}
}

func TestAHandlerInAHandlerOfTheApplication(t *testing.T) {
	// A LogValuer that logs does not end in itself.
	node := newNode()
	c := client(t, shared.config(node))
	c.Info("outer", "value", logs{c})
	check(t, c.Flush(within(time.Minute)))
	if entries := shared.entries(t, node); len(entries) != 2 {
		t.Errorf("%v", entries)
	}
}

func TestEventsOfAnotherLibrary(t *testing.T) {
	node := newNode()
	c := client(t, shared.config(node))
	at := time.Date(2024, 1, 17, 10, 30, 45, 0, time.UTC)
	c.LogEvent(logflux.Event{Level: logflux.LevelInfo, Time: at, Message: "whole", Target: "shop", Fields: []byte(`{"a":1}`), Exception: "e\n\tat"})
	c.LogEvent(logflux.Event{Level: logflux.LevelInfo, Message: "no JSON", Fields: []byte(`{"a":`)})
	for _, year := range []int{-5, 0, 10_000, 1 << 40} {
		c.LogEvent(logflux.Event{Level: logflux.LevelInfo, Message: "no time of an entry", Time: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)})
	}
	c.LogEvent(logflux.Event{Message: "no level"})
	check(t, c.Flush(within(time.Minute)))
	entries := shared.entries(t, node)
	if len(entries) != 6 || c.Stats().Accepted != 6 {
		t.Fatalf("%d entries, %+v", len(entries), c.Stats())
	}
	// The one that is of another day comes first.
	if got := fmt.Sprint(entries[0].Timestamp, entries[0].object(t)); got != "2024-01-17T10:30:45Zmap[exception:e\n\tat fields:map[a:1] message:whole target:shop]" {
		t.Errorf("%s", got)
	}
	if got := fmt.Sprint(entries[1].object(t)); got != `map[fields:{"a": message:no JSON]` {
		t.Errorf("%s", got)
	}
}

type logs struct{ client *logflux.Client }

func (l logs) LogValue() slog.Value {
	slog.New(logflux.NewHandler(l.client, nil)).Log(context.Background(), slog.LevelInfo, "inner")
	return slog.StringValue(fmt.Sprint("logged"))
}
