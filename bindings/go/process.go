package logflux

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
)

// The client of the process.
var (
	current      atomic.Pointer[Client]
	initializing sync.Mutex
)

// Default is the client of the process; nil before [Init].
func Default() *Client { return current.Load() }

// Init makes the client of the process, which [Info] and the others log through. With the settings that it has
// already, nothing changes. With others the new client takes its place, and the old one is closed when it has
// delivered what it has, within its close timeout.
func Init(config Config) error {
	initializing.Lock()
	defer initializing.Unlock()
	old := current.Load()
	if old != nil && old.closed.Load() == nil {
		settings, err := config.settings()
		if err == nil && identity(settings) == old.identity {
			return nil
		}
	}
	client, err := New(config)
	if err != nil {
		return err
	}
	current.Store(client)
	if old != nil {
		go func() { _ = old.Close(context.Background()) }()
	}
	return nil
}

// InitFromEnv makes the client of the process of the LOGFLUX_… variables.
func InitFromEnv() error { return Init(Config{FromEnv: true}) }

// Log logs through the client of the process. Before [Init] what is logged goes nowhere. See [Client.Log].
func Log(level Level, message string, args ...any) { Default().Log(level, message, args...) }

// Flush flushes the client of the process. See [Client.Flush].
func Flush(ctx context.Context) error { return Default().Flush(ctx) }

// Close closes the client of the process. Call it before the end of the program, also before os.Exit. See
// [Client.Close].
func Close(ctx context.Context) error { return Default().Close(ctx) }

// Rotate rotates the client of the process. See [Client.Rotate].
func Rotate(to Rotation) error { return Default().Rotate(to) }

// HandleSIGTERM closes the client of the process at SIGTERM and SIGINT, and then lets the signal end the process as
// it would have. It is for programs that have no handler of their own; one that has should call [Close] in it. stop
// undoes it.
func HandleSIGTERM() (stop func()) {
	signals := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		select {
		case <-done:
		case caught := <-signals:
			_ = Close(context.Background())
			signal.Reset(caught)
			_ = syscall.Kill(os.Getpid(), caught.(syscall.Signal))
		}
	}()
	return sync.OnceFunc(func() {
		signal.Stop(signals)
		close(done)
	})
}
