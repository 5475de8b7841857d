package logflux

import (
	"strconv"
	"strings"
	"time"

	"github.com/logflux/logflux/bindings/go/internal/native"
)

// Config is what a client is set to. A field that is zero is what its LOGFLUX_… variable says, or else the default.
// [Config.APIKey] and [Config.Secret] are taken from variables only where FromEnv says so: another's secret must not
// stand in for one that was forgotten. docs/settings.md has the bounds; a value out of them is a [SettingsError].
type Config struct {
	// ServerURL is the ingest API, https://….
	ServerURL string
	// Node is the sender's name, 1 to 255 characters; that of the host by default.
	Node string
	// APIKey is lf_ and 32 letters or digits.
	APIKey APIKey
	// Secret is what every key is derived from.
	Secret Secret
	// FromEnv takes APIKey and Secret, where they are empty, from the variables.
	FromEnv bool

	// CAFile is the file of the authority to trust, in PEM, or "system"; Mozilla's authorities by default.
	CAFile string
	// Proxy is a URL, or "none"; what HTTPS_PROXY, ALL_PROXY and NO_PROXY say by default.
	Proxy string
	// HTTPTimeout is how long one request may take, 30 s by default.
	HTTPTimeout time.Duration
	// MaxInFlight is how many requests may be in flight at once, 1 to 16; 2 by default.
	MaxInFlight int
	// MaxRetries is how often a request is sent again where there is no spool; 5 by default, [None] for never.
	MaxRetries int
	// InitialDelay is the pause after the first failure, 500 ms by default, and at most MaxDelay, 30 s by default.
	InitialDelay, MaxDelay time.Duration
	// BackoffFactor is by what the pause grows, 1 to 100; 2 by default.
	BackoffFactor float64
	// RetryDeadline is how long a batch is tried where there is no spool; 5 min by default, [None] for once.
	RetryDeadline time.Duration
	// QueueSize is how many messages may wait in memory, 10,000 by default.
	QueueSize int
	// QueueBytes is how many bytes of messages may wait in memory, 8 MiB by default.
	QueueBytes int64
	// WhenFull is what a logging call does when the queue is full: [DropNewest] by default.
	WhenFull WhenFull
	// FlushInterval is how long a message may wait for others to be sent with, 1 s by default.
	FlushInterval time.Duration
	// SpoolDir is the folder of a durable spool: what is in it outlives the process. None by default.
	SpoolDir string
	// SpoolMaxBytes is how many bytes the spool may take on disk, 256 MiB by default.
	SpoolMaxBytes int64
	// SpoolWhenFull is what a full spool does: [Refuse] by default.
	SpoolWhenFull SpoolWhenFull
	// SyncInterval is how long a spooled entry may wait to be durable, 100 ms by default.
	SyncInterval time.Duration
	// Mode is the encryption mode, [ModePBKDF2] by default.
	Mode Mode
	// KeyPolicy is how key derivations are spent in modes 1 to 4: adaptive by default.
	KeyPolicy KeyPolicy
	// MinLevel is the least severe level that is logged, [LevelDebug] by default.
	MinLevel Level
	// CloseTimeout is how long [Client.Close] waits where its context has no deadline; 5 s by default, [None] for
	// not at all.
	CloseTimeout time.Duration

	// OnDrop is called when messages were dropped, with how many since the last call by reason, at most once a
	// second, on a goroutine of its own.
	OnDrop func(map[DropReason]uint64)
	// OnNotice is called with every sentence that would be a line on stderr, on a goroutine of its own.
	OnNotice func(sentence string)
}

// None stands for 0 in settings whose zero value is the default.
const None = -1

// WhenFull is what a logging call does when the queue is full.
type WhenFull string

// What a logging call does when the queue is full.
const (
	DropNewest WhenFull = "drop_newest" // the new message is dropped
	DropOldest WhenFull = "drop_oldest" // the oldest messages are dropped for it
	Block      WhenFull = "block"       // the call waits for room
)

// SpoolWhenFull is what a full spool does.
type SpoolWhenFull string

// What a full spool does.
const (
	Refuse          SpoolWhenFull = "refuse"      // the new entry is dropped
	SpoolDropOldest SpoolWhenFull = "drop_oldest" // the oldest entries are dropped for it
)

// KeyPolicy is how key derivations are spent in modes 1 to 4 (PROTOCOL 6). What is zero is the default.
type KeyPolicy struct {
	// Kind is the policy.
	Kind PolicyKind
	// Budget is the part of one core that derivation may use, above 0 and at most 1: adaptive.
	Budget float64
	// MaxEntries is how many entries may share a key, and MaxAge for how long: adaptive, bounded.
	MaxEntries uint64
	MaxAge     time.Duration
}

// PolicyKind is a kind of key policy.
type PolicyKind uint32

// The kinds of key policy.
const (
	Unique   PolicyKind = 1 // every entry has its own salt and key
	Adaptive PolicyKind = 2 // own keys while the budget lasts, and then shared ones
	Bounded  PolicyKind = 3 // one key for all entries until a bound is met
)

// native fills in the defaults, which are those of every language.
func (p KeyPolicy) native() native.Policy {
	if p == (KeyPolicy{}) {
		return native.Policy{}
	}
	given := native.Policy{Kind: uint32(p.Kind), Budget: p.Budget, MaxEntries: p.MaxEntries, MaxAgeMS: milliseconds(p.MaxAge)}
	if given.Kind == 0 {
		given.Kind = uint32(Adaptive)
	}
	if given.Budget == 0 {
		given.Budget = 0.1
	}
	if given.MaxEntries == 0 {
		given.MaxEntries = 65_536
	}
	if given.MaxAgeMS == 0 {
		given.MaxAgeMS = 60_000
	}
	return given
}

// setting is one setting: the field of Config, its variable, and its value as text; empty where it is not given.
type setting struct {
	field, variable string
	value           func(*Config) string
}

var settings = []setting{
	{"ServerURL", "LOGFLUX_SERVER_URL", func(c *Config) string { return c.ServerURL }},
	{"APIKey", "LOGFLUX_API_KEY", func(c *Config) string { return string(c.APIKey) }},
	{"Node", "LOGFLUX_NODE", func(c *Config) string { return c.Node }},
	{"CAFile", "LOGFLUX_CA_FILE", func(c *Config) string { return c.CAFile }},
	{"Proxy", "LOGFLUX_PROXY", func(c *Config) string { return c.Proxy }},
	{"HTTPTimeout", "LOGFLUX_HTTP_TIMEOUT", func(c *Config) string { return duration(c.HTTPTimeout) }},
	{"MaxInFlight", "LOGFLUX_MAX_IN_FLIGHT", func(c *Config) string { return number(int64(c.MaxInFlight)) }},
	{"MaxRetries", "LOGFLUX_MAX_RETRIES", func(c *Config) string { return orNone(int64(c.MaxRetries), number) }},
	{"InitialDelay", "LOGFLUX_INITIAL_DELAY", func(c *Config) string { return duration(c.InitialDelay) }},
	{"MaxDelay", "LOGFLUX_MAX_DELAY", func(c *Config) string { return duration(c.MaxDelay) }},
	{"BackoffFactor", "LOGFLUX_BACKOFF_FACTOR", func(c *Config) string { return factor(c.BackoffFactor) }},
	{"RetryDeadline", "LOGFLUX_RETRY_DEADLINE", func(c *Config) string { return orNone(c.RetryDeadline, duration) }},
	{"QueueSize", "LOGFLUX_QUEUE_SIZE", func(c *Config) string { return number(int64(c.QueueSize)) }},
	{"QueueBytes", "LOGFLUX_QUEUE_BYTES", func(c *Config) string { return number(c.QueueBytes) }},
	{"WhenFull", "LOGFLUX_WHEN_FULL", func(c *Config) string { return string(c.WhenFull) }},
	{"FlushInterval", "LOGFLUX_FLUSH_INTERVAL", func(c *Config) string { return duration(c.FlushInterval) }},
	{"SpoolDir", "LOGFLUX_SPOOL_DIR", func(c *Config) string { return c.SpoolDir }},
	{"SpoolMaxBytes", "LOGFLUX_SPOOL_MAX_BYTES", func(c *Config) string { return number(c.SpoolMaxBytes) }},
	{"SpoolWhenFull", "LOGFLUX_SPOOL_WHEN_FULL", func(c *Config) string { return string(c.SpoolWhenFull) }},
	{"SyncInterval", "LOGFLUX_SYNC_INTERVAL", func(c *Config) string { return duration(c.SyncInterval) }},
	{"Mode", "LOGFLUX_MODE", func(c *Config) string { return number(int64(c.Mode)) }},
	{"MinLevel", "LOGFLUX_MIN_LEVEL", func(c *Config) string { return number(int64(c.MinLevel)) }},
	{"CloseTimeout", "LOGFLUX_CLOSE_TIMEOUT", func(c *Config) string { return orNone(c.CloseTimeout, duration) }},
}

// settings are these as the native half takes them.
func (c *Config) settings() (native.Settings, error) {
	if !c.FromEnv {
		if c.APIKey == "" {
			return native.Settings{}, forgotten("APIKey")
		}
		if c.Secret == "" {
			return native.Settings{}, forgotten("Secret")
		}
	}
	block := variables(func(name string) bool {
		return c.APIKey != "" && name == "LOGFLUX_API_KEY_FILE" || c.Secret != "" && isSecret(name)
	})
	for _, setting := range settings {
		value := setting.value(c)
		if value == "" {
			continue
		}
		if strings.ContainsRune(value, 0) {
			return native.Settings{}, &SettingsError{failure{setting.field + ": holds a NUL"}, setting.field}
		}
		block += setting.variable + "=" + value + "\x00"
	}
	return native.Settings{
		Variables:   block,
		Secret:      string(c.Secret),
		Policy:      c.KeyPolicy.native(),
		KeepNotices: c.OnNotice != nil,
	}, nil
}

func isSecret(variable string) bool {
	return variable == "LOGFLUX_SECRET" || variable == "LOGFLUX_SECRET_FILE" || variable == "LOGFLUX_SECRET_COMMAND"
}

func forgotten(field string) error {
	return &SettingsError{failure{field + " is empty: give it, or set FromEnv to take it from the LOGFLUX_… variables"}, field}
}

// named is the same error with the name under which the value was given.
func (c *Config) named(err error) error {
	wrong, ok := err.(*SettingsError)
	if !ok {
		return err
	}
	switch wrong.Setting {
	case "policy":
		return &SettingsError{failure{"KeyPolicy: " + wrong.message}, "KeyPolicy"}
	case "CAFile", "SpoolDir":
		return &SettingsError{failure{wrong.Setting + ": " + wrong.message}, wrong.Setting}
	}
	for _, setting := range settings {
		if wrong.Setting != setting.variable {
			continue
		}
		given := setting.value(c) != "" || setting.field == "InitialDelay" && c.MaxDelay != 0
		reason, hasReason := strings.CutPrefix(wrong.message, setting.variable)
		switch {
		case given && hasReason:
			return &SettingsError{failure{setting.field + strings.ReplaceAll(reason, "max_delay", "MaxDelay")}, setting.field}
		case strings.HasSuffix(reason, "is not set"):
			return &SettingsError{failure{setting.field + reason + ": give it, or set " + setting.variable}, setting.field}
		}
	}
	return err
}

func number(value int64) string {
	if value == 0 {
		return ""
	}
	return strconv.FormatInt(value, 10)
}

func factor(value float64) string {
	if value == 0 {
		return ""
	}
	return strconv.FormatFloat(value, 'g', -1, 64)
}

// duration is in seconds, with all of its digits.
func duration(value time.Duration) string {
	if value == 0 {
		return ""
	}
	return strconv.FormatFloat(value.Seconds(), 'f', -1, 64) + "s"
}

func orNone[T int64 | time.Duration](value T, text func(T) string) string {
	if value == None {
		return "0"
	}
	return text(value)
}

func milliseconds(value time.Duration) uint64 {
	return uint64(max(value, 0).Round(time.Millisecond) / time.Millisecond)
}
