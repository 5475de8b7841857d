package logflux

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/logflux/logflux/bindings/go/internal/native"
)

// Client logs through one ingest API, as one node, with one secret. Any number of goroutines may use it. Its methods
// do nothing on a nil client.
type Client struct {
	native   native.Client
	minLevel Level
	identity [sha256.Size]byte
	node     string
	watcher  *watcher
	closing  sync.Once
	closed   atomic.Pointer[closed]
}

// closed is what a close found, once done is closed.
type closed struct {
	done  chan struct{}
	found native.Flushed
	err   error
}

// New makes a client. Nothing is sent before the first message. Close ends it.
func New(config Config) (*Client, error) {
	settings, err := config.settings()
	if err != nil {
		return nil, err
	}
	made, err := native.NewClient(settings)
	if err != nil {
		return nil, config.named(wrap(err))
	}
	client := &Client{native: made, identity: identity(settings), node: config.Node}
	for level := LevelEmergency; level <= LevelDebug && made.IsEnabled(uint32(level)); level++ {
		client.minLevel = level
	}
	client.watcher = watch(made, config.OnDrop, config.OnNotice)
	runtime.AddCleanup(client, forget, gone{made, client.watcher})
	return client, nil
}

// NewFromEnv makes a client of the LOGFLUX_… variables.
func NewFromEnv() (*Client, error) { return New(Config{FromEnv: true}) }

// gone is what is left of a client that nobody knows any more.
type gone struct {
	native  native.Client
	watcher *watcher
}

// forget ends it. What was logged through it may be on its way.
func forget(left gone) {
	go func() {
		_, _ = left.native.Flush(left.native.CloseTimeoutMS())
		left.watcher.stop()
		left.native.Free()
	}()
}

// identity tells two clients' settings apart.
func identity(settings native.Settings) [sha256.Size]byte {
	all := fmt.Sprintf("%q %q %v %v", settings.Variables, settings.Secret, settings.Policy, settings.KeepNotices)
	return sha256.Sum256([]byte(all))
}

// IsEnabled says whether a message of this level would be logged.
func (c *Client) IsEnabled(level Level) bool {
	return c != nil && level >= LevelEmergency && level <= c.minLevel
}

// Log logs a message. Without args it is logged as it is; with them, names and values or [slog.Attr] as log/slog
// takes them, it becomes one JSON object, {"message": …, "fields": {…}}. A call never panics, whatever the values
// are, and waits for nothing unless [Config.WhenFull] is [Block]. A message that is too long for an entry, of
// 786,416 bytes, is dropped and counted.
func (c *Client) Log(level Level, message string, args ...any) {
	if !c.IsEnabled(level) {
		return
	}
	if len(args) == 0 {
		c.send(level, message)
		return
	}
	object := newObject()
	object.message(message)
	object.fields(args)
	c.send(level, object.end())
	object.free()
}

// Event is one line of another logging library, for adapters.
type Event struct {
	Level   Level
	Time    time.Time // the zero time is now
	Message string
	Target  string // the logger's name
	// Fields is a JSON object, or nil. What is no JSON is logged as text.
	Fields []byte
	// Exception is an error with its trace, as text.
	Exception string
}

// LogEvent logs a line of another logging library as one JSON object. What the event has not is left out.
func (c *Client) LogEvent(event Event) {
	if !c.IsEnabled(event.Level) {
		return
	}
	object := newObject()
	object.message(event.Message)
	if event.Target != "" {
		object.name("target")
		object.string(event.Target)
	}
	if len(event.Fields) > 0 {
		object.name("fields")
		if json.Valid(event.Fields) {
			object.buffer = append(object.buffer, event.Fields...)
		} else {
			object.string(string(event.Fields))
		}
	}
	if event.Exception != "" {
		object.name("exception")
		object.string(event.Exception)
	}
	c.sendAt(event.Level, object.end(), event.Time)
	object.free()
}

func (c *Client) send(level Level, message string) {
	if !utf8.ValidString(message) {
		message = strings.ToValidUTF8(message, "\uFFFD")
	}
	c.native.Log(uint32(level), message)
	runtime.KeepAlive(c)
}

// sendAt logs with a time. The zero time, and one that no entry can have, is now.
func (c *Client) sendAt(level Level, message string, at time.Time) {
	if year := at.UTC().Year(); at.IsZero() || year < 1 || year > 9999 {
		c.send(level, message)
		return
	}
	c.native.LogAt(uint32(level), *timeOf(at), message)
	runtime.KeepAlive(c)
}

// Flush waits until all that was logged before is delivered, or durable in the spool, or until the context ends. It
// gives a [FlushError] where a message was dropped since the client was made, or the time was not enough.
func (c *Client) Flush(ctx context.Context) error {
	if c == nil {
		return nil
	}
	defer runtime.KeepAlive(c)
	ticket, err := c.native.BeginFlush()
	if err != nil {
		return wrap(err)
	}
	defer ticket.Free()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for pause := time.Millisecond; !ticket.IsDone(); pause = min(2*pause, 20*time.Millisecond) {
		timer.Reset(pause)
		select {
		case <-ctx.Done():
			return flushError(ticket.Answer, context.Cause(ctx))
		case <-timer.C:
		}
	}
	return flushError(ticket.Answer, nil)
}

func flushError(answer func() (native.Flushed, error), cause error) error {
	found, err := answer()
	if err != nil {
		return wrap(err)
	}
	if found == (native.Flushed{}) {
		return nil
	}
	return &FlushError{Dropped: found.Dropped, Left: found.Left, cause: cause}
}

// Close flushes, and ends the client: later messages are dropped, and counted. It waits until the context ends, or
// where that has no deadline, for [Config.CloseTimeout]. A second Close gives what the first found.
func (c *Client) Close(ctx context.Context) error {
	if c == nil {
		return nil
	}
	c.closing.Do(func() {
		wait := c.native.CloseTimeoutMS()
		if deadline, ok := ctx.Deadline(); ok {
			wait = milliseconds(time.Until(deadline))
		}
		if ctx.Err() != nil {
			wait = 0
		}
		result := &closed{done: make(chan struct{})}
		c.closed.Store(result)
		go func() {
			result.found, result.err = c.native.Close(wait)
			c.watcher.stop()
			runtime.KeepAlive(c)
			close(result.done)
		}()
	})
	result := c.closed.Load()
	select {
	case <-result.done:
	case <-ctx.Done():
		// The native half keeps to the same time. A context that was cancelled waits no longer.
		if _, ok := ctx.Deadline(); !ok {
			return &FlushError{Left: 1, cause: context.Cause(ctx)}
		}
		<-result.done
	}
	return flushError(func() (native.Flushed, error) { return result.found, result.err }, ctx.Err())
}

// CloseTimeout is how long [Client.Close] waits where its context has no deadline.
func (c *Client) CloseTimeout() time.Duration {
	if c == nil {
		return 0
	}
	defer runtime.KeepAlive(c)
	return time.Duration(c.native.CloseTimeoutMS()) * time.Millisecond
}

// Rotation is what a client goes on with; what is empty stays as it is.
type Rotation struct {
	Secret Secret
	APIKey APIKey
	CAFile string
}

// Rotate goes on with another secret, API key or file of the authority, without a restart. What is sealed already
// keeps its bytes: a keyring of both secrets opens all.
func (c *Client) Rotate(to Rotation) error {
	if c == nil {
		return forgottenClient
	}
	defer runtime.KeepAlive(c)
	if to == (Rotation{}) {
		return &SettingsError{failure{"give Secret, APIKey or CAFile"}, ""}
	}
	// The one that can be wrong in most ways is first, so that nothing is replaced where it is.
	if to.CAFile != "" {
		if err := c.native.RotateCAFile(to.CAFile); err != nil {
			return inField("CAFile", wrap(err))
		}
	}
	if to.APIKey != "" {
		if err := c.native.RotateAPIKey(string(to.APIKey)); err != nil {
			return inField("APIKey", wrap(err))
		}
	}
	if to.Secret != "" {
		if err := c.native.RotateSecret(string(to.Secret)); err != nil {
			return wrap(err)
		}
	}
	return nil
}

// inField is an error of a setting with the name that it has in Go.
func inField(field string, err error) error {
	wrong, ok := err.(*SettingsError)
	if !ok {
		return err
	}
	_, reason, found := strings.Cut(wrong.message, ": ")
	if !found {
		reason = wrong.message
	}
	return &SettingsError{failure{field + ": " + reason}, field}
}

// forgottenClient is the error of calls on no client that have something to say.
var forgottenClient = &SettingsError{failure{"there is no client: call Init or New first"}, ""}

// String says what the client is, without its secret and its key.
func (c *Client) String() string {
	if c == nil {
		return "logflux.Client(none)"
	}
	return fmt.Sprintf("logflux.Client{Node: %q, MinLevel: %v}", c.node, c.minLevel)
}

// Format writes what String gives, whatever the verb.
func (c *Client) Format(out fmt.State, _ rune) { fmt.Fprint(out, c.String()) }

// AfterRestore says that this process was restored from a snapshot, of a virtual machine for instance, and that
// other copies of it may run. Call it first of all after the restore, before anything is logged.
func AfterRestore() { native.AfterRestore() }

// Version is the version of the native half, such as "0.1.0".
func Version() string { return native.Version() }
