// Package zap is a core of go.uber.org/zap that logs through LogFlux.
//
//	logger := zap.New(logfluxzap.NewCore(nil, zapcore.InfoLevel))
package zap

import (
	"context"

	"go.uber.org/zap/zapcore"

	logflux "github.com/logflux/logflux/bindings/go"
)

// core keeps the fields of With in an encoder, as zap's own does.
type core struct {
	zapcore.LevelEnabler
	client  *logflux.Client
	encoder zapcore.Encoder
}

// NewCore is a core that logs through a client, or, where that is nil, through the client that the process has when
// something is logged. Fields become the fields of the JSON object, the logger's name its target, a stack its
// exception. Above the level error it waits until everything is delivered, within the client's close timeout, since
// zap ends the process then.
func NewCore(client *logflux.Client, level zapcore.LevelEnabler) zapcore.Core {
	// Without keys it writes the fields alone.
	return &core{level, client, zapcore.NewJSONEncoder(zapcore.EncoderConfig{
		SkipLineEnding: true,
		EncodeDuration: zapcore.StringDurationEncoder,
		EncodeTime:     zapcore.RFC3339NanoTimeEncoder,
	})}
}

// FromZap is the level of one of zap: debug, info, warn and error, and critical above them.
func FromZap(level zapcore.Level) logflux.Level {
	switch {
	case level < zapcore.InfoLevel:
		return logflux.LevelDebug
	case level == zapcore.InfoLevel:
		return logflux.LevelInfo
	case level == zapcore.WarnLevel:
		return logflux.LevelWarning
	case level == zapcore.ErrorLevel:
		return logflux.LevelError
	default:
		return logflux.LevelCritical
	}
}

func (c *core) to() *logflux.Client {
	if c.client != nil {
		return c.client
	}
	return logflux.Default()
}

// With is a core whose entries have these fields as well.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	with := &core{c.LevelEnabler, c.client, c.encoder.Clone()}
	for _, field := range fields {
		field.AddTo(with.encoder)
	}
	return with
}

// Check adds the core where it logs the entry.
func (c *core) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

// Write logs an entry.
func (c *core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	client := c.to()
	if client == nil {
		return nil
	}
	event := logflux.Event{
		Level:     FromZap(entry.Level),
		Time:      entry.Time,
		Message:   entry.Message,
		Target:    entry.LoggerName,
		Exception: entry.Stack,
	}
	encoded, err := c.encoder.EncodeEntry(zapcore.Entry{}, fields)
	if err != nil {
		event.Fields = []byte(`{"error":"[the fields could not be formatted]"}`)
		client.LogEvent(event)
	} else {
		if encoded.Len() > len("{}") {
			event.Fields = encoded.Bytes()
		}
		client.LogEvent(event)
		encoded.Free()
	}
	if entry.Level > zapcore.ErrorLevel {
		return c.Sync()
	}
	return nil
}

// Sync waits until everything is delivered, within the client's close timeout.
func (c *core) Sync() error {
	client := c.to()
	ctx, cancel := context.WithTimeout(context.Background(), client.CloseTimeout())
	defer cancel()
	return client.Flush(ctx)
}
