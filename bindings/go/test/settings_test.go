package test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	logflux "github.com/logflux/logflux/bindings/go"
)

// What is no text of a setting's, or comes under another name.
var others = map[string]string{
	"APIKeyFile": "", "SecretFile": "", "SecretCommand": "", "SecretCommandTimeout": "", "StatsInterval": "",
}

// goName is the field of a setting: QueueSize of queue_size.
func goName(setting string) string {
	var name strings.Builder
	for _, word := range strings.Split(setting, "_") {
		switch word {
		case "url", "api", "ca", "http":
			name.WriteString(strings.ToUpper(word))
		default:
			name.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return name.String()
}

var row = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (?:`(LOGFLUX_[A-Z_]+)`|–) \\|(.*)$")

func table(t *testing.T) [][]string {
	text, err := os.ReadFile(filepath.Join(os.Getenv("LOGFLUX_TEST_ROOT"), "docs/settings.md"))
	check(t, err)
	return row.FindAllStringSubmatch(string(text), -1)
}

func TestEverySettingIsAField(t *testing.T) {
	rows := table(t)
	config := reflect.TypeFor[logflux.Config]()
	for _, row := range rows {
		name := goName(row[1])
		if _, other := others[name]; other {
			continue
		}
		if _, found := config.FieldByName(name); !found {
			t.Errorf("Config has no %s", name)
		}
	}
	if len(rows) < 30 {
		t.Errorf("%d settings", len(rows))
	}
}

func TestAWrongSettingIsNamed(t *testing.T) {
	wrong := map[string]func(*logflux.Config){
		"ServerURL":     func(c *logflux.Config) { c.ServerURL = "http://plain.example" },
		"APIKey":        func(c *logflux.Config) { c.APIKey = "lf_short" },
		"Node":          func(c *logflux.Config) { c.Node = "a\nb" },
		"CAFile":        func(c *logflux.Config) { c.CAFile = "/no/such/file.pem" },
		"Proxy":         func(c *logflux.Config) { c.Proxy = "ftp://proxy.example" },
		"HTTPTimeout":   func(c *logflux.Config) { c.HTTPTimeout = 25 * time.Hour },
		"MaxInFlight":   func(c *logflux.Config) { c.MaxInFlight = 17 },
		"MaxRetries":    func(c *logflux.Config) { c.MaxRetries = -2 },
		"InitialDelay":  func(c *logflux.Config) { c.InitialDelay = time.Nanosecond },
		"MaxDelay":      func(c *logflux.Config) { c.MaxDelay = 25 * time.Hour },
		"BackoffFactor": func(c *logflux.Config) { c.BackoffFactor = 0.5 },
		"RetryDeadline": func(c *logflux.Config) { c.RetryDeadline = 8 * 24 * time.Hour },
		"QueueSize":     func(c *logflux.Config) { c.QueueSize = -1 },
		"QueueBytes":    func(c *logflux.Config) { c.QueueBytes = 65 << 30 },
		"WhenFull":      func(c *logflux.Config) { c.WhenFull = "explode" },
		"FlushInterval": func(c *logflux.Config) { c.FlushInterval = -time.Second },
		"SpoolDir":      func(c *logflux.Config) { c.SpoolDir = "/dev/null/spool" },
		"SpoolMaxBytes": func(c *logflux.Config) { c.SpoolMaxBytes = 1 },
		"SpoolWhenFull": func(c *logflux.Config) { c.SpoolWhenFull = "explode" },
		"SyncInterval":  func(c *logflux.Config) { c.SyncInterval = 25 * time.Hour },
		"Mode":          func(c *logflux.Config) { c.Mode = 5 },
		"KeyPolicy":     func(c *logflux.Config) { c.KeyPolicy = logflux.KeyPolicy{Kind: logflux.Bounded, MaxEntries: 1 << 30} },
		"MinLevel":      func(c *logflux.Config) { c.MinLevel = 9 },
		"CloseTimeout":  func(c *logflux.Config) { c.CloseTimeout = 25 * time.Hour },
	}
	for _, row := range table(t) {
		name := goName(row[1])
		change, found := wrong[name]
		if _, other := others[name]; other || name == "Secret" {
			continue
		}
		if !found {
			t.Errorf("%s is not tried", name)
			continue
		}
		config := shared.config("n")
		change(&config)
		_, err := logflux.New(config)
		var setting *logflux.SettingsError
		if !errors.As(err, &setting) || setting.Setting != name || !strings.HasPrefix(err.Error(), "logflux: "+name) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(err.Error(), "LOGFLUX_") || strings.Contains(err.Error(), "lf_short") {
			t.Errorf("%s: %v", name, err)
		}
	}
	config := shared.config("n")
	config.InitialDelay, config.MaxDelay = time.Second, 10*time.Millisecond
	if _, err := logflux.New(config); err == nil || !strings.Contains(err.Error(), "InitialDelay: must be at most MaxDelay") {
		t.Errorf("%v", err)
	}
	config = shared.config("a\x00b")
	if _, err := logflux.New(config); err == nil || err.Error() != "logflux: Node: holds a NUL" {
		t.Errorf("%v", err)
	}
	config = shared.config("n")
	config.Secret = " "
	var noSecret *logflux.SecretError
	if _, err := logflux.New(config); !errors.As(err, &noSecret) {
		t.Errorf("%v", err)
	}
}

func TestTheVariables(t *testing.T) {
	node := newNode()
	for _, variable := range shared.environment(node) {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "LOGFLUX_") {
			t.Setenv(name, value)
		}
	}
	c, err := logflux.NewFromEnv()
	check(t, err)
	c.Info("from variables")
	check(t, c.Close(within(time.Minute)))
	// What is given comes before them; what is not, after.
	t.Setenv("LOGFLUX_SECRET", "not this one")
	t.Setenv("LOGFLUX_API_KEY", "lf_00000000000000000000000000000000")
	c = client(t, logflux.Config{APIKey: logflux.APIKey(shared.key), Secret: secret})
	c.Info("given")
	check(t, c.Flush(within(time.Minute)))
	if entries := shared.entries(t, node); len(entries) != 2 {
		t.Errorf("%v", entries)
	}
	var setting *logflux.SettingsError
	for _, config := range []logflux.Config{{Secret: secret}, {APIKey: logflux.APIKey(shared.key)}} {
		if _, err := logflux.New(config); !errors.As(err, &setting) || !strings.Contains(err.Error(), "FromEnv") {
			t.Errorf("another's secret or key stood in: %v", err)
		}
	}
	t.Setenv("LOGFLUX_QUEUE_SIZE", "many")
	if _, err := logflux.NewFromEnv(); !errors.As(err, &setting) || setting.Setting != "LOGFLUX_QUEUE_SIZE" {
		t.Errorf("%v", err)
	}
	t.Setenv("LOGFLUX_QUEUE_SIZE", "")
	t.Setenv("LOGFLUX_SERVER_URL", "")
	if _, err := logflux.NewFromEnv(); err == nil || err.Error() != "logflux: ServerURL is not set: give it, or set LOGFLUX_SERVER_URL" {
		t.Errorf("%v", err)
	}
	found, err := logflux.SecretFromEnv()
	if err != nil || string(found) != "not this one" {
		t.Errorf("%v", err)
	}
}

func TestMinLevel(t *testing.T) {
	node := newNode()
	config := shared.config(node)
	config.MinLevel = logflux.LevelWarning
	c := client(t, config)
	c.Notice("left out")
	c.Warning("logged")
	check(t, c.Flush(within(time.Minute)))
	if stats := c.Stats(); stats.Accepted != 1 || c.IsEnabled(logflux.LevelNotice) || !c.IsEnabled(logflux.LevelWarning) {
		t.Errorf("%+v", stats)
	}
}
