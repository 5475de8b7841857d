// Package test tests the modules as an application has them: out of a module proxy, beside a real server.
package test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	logflux "github.com/logflux/logflux/bindings/go"
)

const secret = "correct horse battery staple"

var (
	logfluxProgram = os.Getenv("LOGFLUX_PROGRAM")
	long           = os.Getenv("LOGFLUX_TEST_LONG") == "1"
	nodes          atomic.Int64
)

// server is a real ingest server, whose entries `logflux query` reads back.
type server struct {
	url, key, data string
	process        *exec.Cmd
}

// shared is the server of all tests that leave it alone.
var shared *server

func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "LOGFLUX_") && !strings.HasPrefix(name, "LOGFLUX_TEST") && name != "LOGFLUX_PROGRAM" {
			_ = os.Unsetenv(name)
		}
	}
	data, err := os.MkdirTemp("", "logflux-go-")
	if err == nil {
		shared, err = start(data, "127.0.0.1:0")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	shared.stop()
	_ = os.RemoveAll(data)
	os.Exit(status)
}

func start(data, listen string) (*server, error) {
	s := &server{data: data}
	s.process = exec.Command(logfluxProgram, "serve", "--dev", "--listen", listen, "--data", data,
		"--requests-per-key", "0", "--requests-per-address", "0", "--log", "error")
	stderr, err := s.process.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "listening on ") {
		return nil, fmt.Errorf("the server said %q: %v", line, err)
	}
	s.url = line[strings.LastIndexByte(line, ' ')+1 : len(line)-1]
	key, err := exec.Command(logfluxProgram, "keys", "create", "--data", data, "--scope", "ingest,read").Output()
	s.key = strings.TrimSpace(string(key))
	return s, err
}

func (s *server) stop() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

func (s *server) ca() string { return filepath.Join(s.data, "ca.pem") }

// config is in the mode whose keys come quickest.
func (s *server) config(node string) logflux.Config {
	return logflux.Config{
		ServerURL: s.url, APIKey: logflux.APIKey(s.key), CAFile: s.ca(), Secret: secret, Node: node, Mode: logflux.ModeHKDF,
		CloseTimeout: time.Minute,
	}
}

// environment is what a program needs to log to it.
func (s *server) environment(node string, more ...string) []string {
	return append(os.Environ(), append([]string{
		"LOGFLUX_SERVER_URL=" + s.url, "LOGFLUX_API_KEY=" + s.key, "LOGFLUX_CA_FILE=" + s.ca(), "LOGFLUX_SECRET=" + secret,
		"LOGFLUX_MODE=128", "LOGFLUX_NODE=" + node, "LOGFLUX_CLOSE_TIMEOUT=60s",
	}, more...)...)
}

// entry is what `logflux query` says of an entry.
type entry struct {
	Node, Timestamp string
	Level           logflux.Level `json:"loglevel"`
	Message         json.RawMessage
}

// text is the message, where it is no object.
func (e entry) text(t *testing.T) string {
	var text string
	if err := json.Unmarshal(e.Message, &text); err != nil {
		t.Fatalf("%s: %v", e.Message, err)
	}
	return text
}

// object is the message, where it is one.
func (e entry) object(t *testing.T) map[string]any {
	var object map[string]any
	text := e.Message
	if text[0] == '"' {
		text = []byte(e.text(t))
	}
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatalf("%s: %v", e.Message, err)
	}
	return object
}

// query is the lines that `logflux query` writes of a node, the oldest first.
func (s *server) query(t *testing.T, node string, options ...string) []string {
	t.Helper()
	arguments := append([]string{"query", "--limit", "0", "--order", "asc", "--node", node}, options...)
	query := exec.Command(logfluxProgram, arguments...)
	query.Env = s.environment(node)
	var stderr bytes.Buffer
	query.Stderr = &stderr
	out, err := query.Output()
	if err != nil {
		t.Fatalf("query: %v\n%s", err, &stderr)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// texts is what the server holds of a node, opened here with several secrets.
func (s *server) texts(t *testing.T, node string, secrets ...logflux.Secret) string {
	t.Helper()
	opener, err := logflux.NewOpener(logflux.NewKeyring(secrets[0], secrets[1:]...), logflux.OpenerOptions{})
	check(t, err)
	opened, err := opener.OpenMany(context.Background(), s.query(t, node, "--sealed"))
	check(t, err)
	var text strings.Builder
	for _, one := range opened {
		check(t, one.Err)
		text.WriteString(one.Message + "\n")
	}
	return text.String()
}

// entries is what the server holds of a node, opened by `logflux query`, the oldest first.
func (s *server) entries(t *testing.T, node string) []entry {
	t.Helper()
	var found []entry
	for _, line := range s.query(t, node, "--format", "json") {
		if line == "" {
			continue
		}
		var one entry
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		found = append(found, one)
	}
	return found
}

func newNode() string { return fmt.Sprintf("node-%d-%d", os.Getpid(), nodes.Add(1)) }

func client(t *testing.T, config logflux.Config) *logflux.Client {
	t.Helper()
	made, err := logflux.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close(within(time.Minute)) })
	return made
}

// within is a context that ends after a time.
func within(time time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time)
	_ = cancel
	return ctx
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits for something that comes sooner or later.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// conserved checks that every message is somewhere.
func conserved(t *testing.T, stats logflux.Stats) {
	t.Helper()
	if stats.Accepted != stats.Delivered+stats.Dropped+stats.Pending+stats.Spooled {
		t.Fatalf("%+v", stats)
	}
}
