// Package zerolog is a writer for github.com/rs/zerolog that logs through LogFlux.
//
//	logger := zerolog.New(logfluxzerolog.NewWriter(nil))
package zerolog

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/rs/zerolog"

	logflux "github.com/logflux/logflux/bindings/go"
)

// Writer takes zerolog's lines.
type Writer struct{ client *logflux.Client }

// NewWriter is a writer that logs through a client, or, where that is nil, through the client that the process has
// when something is logged. It closes the client at Fatal, since zerolog ends the process then.
func NewWriter(client *logflux.Client) *Writer { return &Writer{client} }

// FromZerolog is the level of one of zerolog: debug, info, warn and error, and critical above them.
func FromZerolog(level zerolog.Level) logflux.Level {
	switch level {
	case zerolog.InfoLevel, zerolog.NoLevel:
		return logflux.LevelInfo
	case zerolog.WarnLevel:
		return logflux.LevelWarning
	case zerolog.ErrorLevel:
		return logflux.LevelError
	case zerolog.FatalLevel, zerolog.PanicLevel:
		return logflux.LevelCritical
	default:
		return logflux.LevelDebug
	}
}

func (w *Writer) to() *logflux.Client {
	if w.client != nil {
		return w.client
	}
	return logflux.Default()
}

// Write logs a line whose level is in it alone.
func (w *Writer) Write(line []byte) (int, error) {
	var found struct{ Level string }
	_ = json.Unmarshal(line, &found)
	level, err := zerolog.ParseLevel(found.Level)
	if err != nil {
		level = zerolog.NoLevel
	}
	return w.WriteLevel(level, line)
}

// WriteLevel logs a line. Its message and time are those of the entry, the rest are its fields. A line that is no
// JSON object is logged as it is.
func (w *Writer) WriteLevel(level zerolog.Level, line []byte) (int, error) {
	client := w.to()
	event := logflux.Event{Level: FromZerolog(level)}
	var members map[string]json.RawMessage
	if json.Unmarshal(line, &members) != nil {
		client.Log(event.Level, string(bytes.TrimSuffix(line, []byte("\n"))))
		return len(line), nil
	}
	event.Message = take(members, zerolog.MessageFieldName)
	delete(members, zerolog.LevelFieldName)
	at := members[zerolog.TimestampFieldName]
	if json.Unmarshal(at, &event.Time) == nil {
		delete(members, zerolog.TimestampFieldName)
	} else {
		event.Time = time.Time{}
	}
	event.Exception = take(members, zerolog.ErrorStackFieldName)
	if len(members) > 0 {
		// What was read can be written.
		event.Fields, _ = json.Marshal(members)
	}
	client.LogEvent(event)
	if level == zerolog.PanicLevel {
		ctx, cancel := context.WithTimeout(context.Background(), client.CloseTimeout())
		defer cancel()
		return len(line), client.Flush(ctx)
	}
	return len(line), nil
}

// take takes a member of text out.
func take(members map[string]json.RawMessage, name string) string {
	var text string
	if json.Unmarshal(members[name], &text) != nil {
		return ""
	}
	delete(members, name)
	return text
}

// Close closes the client. zerolog calls it at Fatal, and then ends the process.
func (w *Writer) Close() error { return w.to().Close(context.Background()) }
