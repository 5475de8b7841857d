package test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const lines = 50

var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(shared.data, "program")
	out, err := exec.Command("go", "build", "-o", path, "./program").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return path, err
})

type ended struct {
	status         int
	signal         syscall.Signal
	stdout, stderr string
	took           time.Duration
}

func program(t *testing.T, environment []string, arguments ...string) ended {
	t.Helper()
	path, err := built()
	check(t, err)
	command := exec.CommandContext(within(2*time.Minute), path, arguments...)
	command.Env = environment
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	begun := time.Now()
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	status := command.ProcessState.Sys().(syscall.WaitStatus)
	found := ended{status: status.ExitStatus(), stdout: stdout.String(), stderr: stderr.String(), took: time.Since(begun)}
	if status.Signaled() {
		found.signal = status.Signal()
	}
	return found
}

func TestEveryEndOfAProcess(t *testing.T) {
	for _, way := range []string{"direct", "slog", "zap", "zerolog"} {
		for _, end := range []struct {
			name   string
			status int
			signal syscall.Signal
			lines  int
		}{
			{"return", 0, 0, lines}, {"exit", 3, 0, lines}, {"panic", 2, 0, lines}, {"fatal", 1, 0, lines + 1},
			{"handle", -1, syscall.SIGTERM, lines}, {"notify", 4, 0, lines + 1},
		} {
			if way == "slog" && end.name == "fatal" {
				continue
			}
			node := newNode()
			found := program(t, shared.environment(node), way, end.name)
			if found.status != end.status || found.signal != end.signal || strings.Contains(found.stderr, "logflux:") {
				t.Errorf("%s, %s: %+v", way, end.name, found)
			}
			if entries := shared.entries(t, node); len(entries) != end.lines {
				t.Errorf("%s, %s: %d lines", way, end.name, len(entries))
			}
		}
	}
}

func TestAServerThatIsAwayHoldsTheEndUpForItsTimeAtMost(t *testing.T) {
	environment := append(shared.environment(newNode()), "LOGFLUX_SERVER_URL=https://127.0.0.1:1", "LOGFLUX_CLOSE_TIMEOUT=1500ms")
	found := program(t, environment, "direct", "return")
	if found.status != 0 || !strings.Contains(found.stderr, "logflux:") || found.took < 1500*time.Millisecond || found.took > 23*time.Second {
		t.Errorf("%+v", found)
	}
}

func TestWhatWasFlushedIntoASpoolOutlivesKill9(t *testing.T) {
	rounds := 3
	if long {
		rounds = 25
	}
	for range rounds {
		node := newNode()
		environment := append(shared.environment(node), "LOGFLUX_SPOOL_DIR="+t.TempDir())
		away := append(environment[:len(environment):len(environment)], "LOGFLUX_SERVER_URL=https://127.0.0.1:1")
		if found := program(t, away, "direct", "flush-kill"); found.signal != syscall.SIGKILL {
			t.Fatalf("%+v", found)
		}
		found := program(t, environment, "direct", "deliver", fmt.Sprint(2*lines+1))
		if found.stdout != "<nil>\n" {
			t.Errorf("%+v", found)
		}
		if entries := shared.entries(t, node); len(entries) != 2*lines+1 {
			t.Errorf("%d lines", len(entries))
		}
	}
}

// What a program without the native half says, and that it goes on.
func TestWithoutCgo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-o", path, "./program")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	command := exec.Command(path, "direct", "return")
	command.Env = shared.environment("n")
	out, err := command.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "CGO_ENABLED=1") {
		t.Errorf("%v: %s", err, out)
	}
}

// An application's own module, whose dependencies come from the proxy and nowhere else.
func TestAModuleThatVendors(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) { check(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600)) }
	write("go.mod", "module example.test\n\ngo 1.24\n")
	write("main.go", `package main

import (
	"context"
	"fmt"

	logflux "github.com/logflux/logflux/bindings/go"
)

func main() {
	fmt.Println(logflux.InitFromEnv())
	logflux.Info("vendored")
	fmt.Println(logflux.Close(context.Background()))
}
`)
	node := newNode()
	// No Rust and no git: nothing but Go and a C compiler.
	tools := t.TempDir()
	for _, tool := range []string{"go", "gcc", "cc", "ld", "as", "ar", "collect2"} {
		if path, err := exec.LookPath(tool); err == nil {
			check(t, os.Symlink(path, filepath.Join(tools, tool)))
		}
	}
	proxy, _, _ := strings.Cut(os.Getenv("GOPROXY"), ",")
	for _, arguments := range []string{
		"get github.com/logflux/logflux/bindings/go@v0.1.0", "run .", "mod vendor", "run -mod=vendor .",
	} {
		command := exec.Command("go", strings.Fields(arguments)...)
		command.Dir = folder
		command.Env = append(shared.environment(node), "PATH="+tools, "GOPROXY="+proxy, "GOFLAGS=-modcacherw")
		if out, err := command.CombinedOutput(); err != nil || strings.HasPrefix(arguments, "run") && string(out) != "<nil>\n<nil>\n" {
			t.Fatalf("go %s: %v\n%s", arguments, err, out)
		}
	}
	if entries := shared.entries(t, node); len(entries) != 2 {
		t.Errorf("%v", entries)
	}
}

// The first program of the document compiles as it stands, and says what is wrong with its key.
func TestTheProgramOfTheDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(os.Getenv("LOGFLUX_TEST_ROOT"), "docs/go.md"))
	check(t, err)
	_, rest, found := strings.Cut(string(text), "```go\npackage main")
	source, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatal("docs/go.md begins with no program")
	}
	folder, err := os.MkdirTemp(".", "document-")
	check(t, err)
	defer os.RemoveAll(folder)
	check(t, os.WriteFile(filepath.Join(folder, "main.go"), []byte("package main"+source), 0o600))
	out, err := exec.Command("go", "run", "./"+folder).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "logflux: APIKey: ") {
		t.Errorf("%v: %s", err, out)
	}
}
