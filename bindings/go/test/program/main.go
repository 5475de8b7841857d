// A program that logs 50 lines in one way, and ends in another.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	logflux "github.com/logflux/logflux/bindings/go"
	logfluxzap "github.com/logflux/logflux/bindings/go/zap"
	logfluxzerolog "github.com/logflux/logflux/bindings/go/zerolog"
)

const lines = 50

func main() {
	if err := logflux.InitFromEnv(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fatal := func(text string) { logflux.Critical(text); _ = logflux.Close(context.Background()); os.Exit(1) }
	log := func(text string) { logflux.Info(text) }
	switch os.Args[1] {
	case "slog":
		log = func(text string) { slog.New(logflux.NewHandler(nil, nil)).Info(text) }
	case "zap":
		logger := zap.New(logfluxzap.NewCore(nil, zapcore.DebugLevel))
		log, fatal = func(text string) { logger.Info(text) }, func(text string) { logger.Fatal(text) }
	case "zerolog":
		logger := zerolog.New(logfluxzerolog.NewWriter(nil))
		log, fatal = func(text string) { logger.Info().Msg(text) }, func(text string) { logger.Fatal().Msg(text) }
	}
	if os.Args[2] == "handle" {
		logflux.HandleSIGTERM()
	}
	ctx, stop := context.WithCancel(context.Background())
	if os.Args[2] == "notify" {
		ctx, stop = signal.NotifyContext(context.Background(), syscall.SIGTERM)
	}
	defer stop()
	for at := range lines {
		log(fmt.Sprint("line ", at))
	}
	me := os.Getpid()
	switch os.Args[2] {
	case "return":
		defer func() { _ = logflux.Close(context.Background()) }()
	case "exit":
		_ = logflux.Close(context.Background())
		os.Exit(3)
	case "panic":
		defer func() { _ = logflux.Close(context.Background()) }()
		panic("on purpose")
	case "fatal":
		fatal("the end")
	case "handle":
		_ = syscall.Kill(me, syscall.SIGTERM)
		select {}
	case "notify":
		_ = syscall.Kill(me, syscall.SIGTERM)
		<-ctx.Done()
		log("last")
		_ = logflux.Close(context.Background())
		os.Exit(4)
	case "flush-kill":
		timeout, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if logflux.Flush(timeout) == nil {
			_ = syscall.Kill(me, syscall.SIGKILL)
		}
		select {}
	case "deliver":
		// Another process takes a spool over.
		log("one more")
		want, _ := strconv.ParseUint(os.Args[3], 10, 64)
		for logflux.Default().Stats().Delivered < want {
			time.Sleep(10 * time.Millisecond)
		}
		fmt.Println(logflux.Close(context.Background()))
	}
}
