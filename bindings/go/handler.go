package logflux

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"unsafe"
)

// borrowed is a text that shares the bytes.
func borrowed(bytes []byte) string { return unsafe.String(unsafe.SliceData(bytes), len(bytes)) }

// handler is a handler of log/slog.
type handler struct {
	client   *Client
	minLevel slog.Leveler
	source   bool
	replace  func(groups []string, attr slog.Attr) slog.Attr
	// written are the members of WithAttrs, as JSON without the closing braces of the groups that are open in it.
	written []byte
	// left is what is left of a line's budget behind them.
	left budget
	// open are the groups that are open in it; waiting those that have no member yet.
	open, waiting []string
}

// NewHandler is a handler of log/slog that logs through a client, or, where that is nil, through the client that the
// process has when something is logged. A record becomes one JSON object: its attributes are the fields, and with
// AddSource it has the member source, of file, line and function. Its time and level are the entry's. Its options
// are those of log/slog; ReplaceAttr is called for attributes alone.
func NewHandler(client *Client, options *slog.HandlerOptions) slog.Handler {
	h := &handler{client: client, left: fresh}
	if options != nil {
		h.minLevel, h.source, h.replace = options.Level, options.AddSource, options.ReplaceAttr
	}
	return h
}

func (h *handler) to() *Client {
	if h.client != nil {
		return h.client
	}
	return Default()
}

// Enabled says whether a record of this level is logged.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	if h.minLevel != nil && level < h.minLevel.Level() {
		return false
	}
	return h.to().IsEnabled(FromSlog(level))
}

// Handle logs a record. It gives no error: what becomes of a message is in the client's statistics.
func (h *handler) Handle(_ context.Context, record slog.Record) error {
	client := h.to()
	if client == nil {
		return nil
	}
	object := newObject()
	object.budget = h.left
	object.message(record.Message)
	if h.source && record.PC != 0 {
		object.source(record.PC)
	}
	if len(h.written) > 0 || record.NumAttrs() > 0 {
		h.fields(object, record)
	}
	client.sendAt(FromSlog(record.Level), object.end(), record.Time)
	object.free()
	return nil
}

func (h *handler) fields(object *object, record slog.Record) {
	before := len(object.buffer)
	object.name("fields")
	object.buffer = append(append(object.buffer, '{'), h.written...)
	begin := len(object.buffer)
	// The groups that have no member yet are opened, and taken back where the record has none either.
	for _, group := range h.waiting {
		object.name(group)
		object.buffer = append(object.buffer, '{')
	}
	opened := len(object.buffer)
	groups := slices.Concat(h.open, h.waiting)
	record.Attrs(func(attr slog.Attr) bool {
		h.attr(object, groups, attr)
		return true
	})
	closing := len(groups)
	if len(object.buffer) == opened {
		object.buffer, closing = object.buffer[:begin], len(h.open)
	}
	if len(h.written) == 0 && len(object.buffer) == begin {
		object.buffer = object.buffer[:before]
		return
	}
	for range closing + 1 {
		object.buffer = append(object.buffer, '}')
	}
}

// attr writes an attribute as the application wants it.
func (h *handler) attr(object *object, groups []string, attr slog.Attr) {
	if h.replace != nil {
		attr = h.replaced(object, groups, attr)
	}
	object.attr(attr)
}

// replaced asks the application for every attribute that is no group, as log/slog does.
func (h *handler) replaced(object *object, groups []string, attr slog.Attr) (replaced slog.Attr) {
	defer func() {
		if recover() != nil {
			replaced = slog.String(attr.Key, unformatted)
		}
	}()
	attr.Value = object.resolve(attr.Value)
	if attr.Value.Kind() != slog.KindGroup {
		return h.replace(groups, attr)
	}
	if attr.Key != "" {
		groups = append(slices.Clip(groups), attr.Key)
	}
	members := slices.Clone(attr.Value.Group())
	for at, member := range members {
		members[at] = h.replaced(object, groups, member)
	}
	return slog.Attr{Key: attr.Key, Value: slog.GroupValue(members...)}
}

// WithAttrs is a handler whose records have these attributes as well.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	object := &object{buffer: append([]byte{'{'}, h.written...), budget: h.left}
	begin := len(object.buffer)
	for _, group := range h.waiting {
		object.name(group)
		object.buffer = append(object.buffer, '{')
	}
	opened := len(object.buffer)
	groups := slices.Concat(h.open, h.waiting)
	for _, attr := range attrs {
		h.attr(object, groups, attr)
	}
	with := *h
	if len(object.buffer) == opened {
		object.buffer = object.buffer[:begin]
	} else {
		with.open, with.waiting = groups, nil
	}
	with.written, with.left = object.buffer[1:], object.budget
	return &with
}

// WithGroup is a handler whose further attributes are in a group.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.waiting = append(slices.Clip(h.waiting), name)
	return &with
}

// source writes where a record was logged.
func (o *object) source(pc uintptr) {
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	o.name("source")
	o.buffer = append(o.buffer, '{')
	o.name("file")
	o.string(frame.File)
	o.attr(slog.Int("line", frame.Line))
	o.name("function")
	o.string(frame.Function)
	o.buffer = append(o.buffer, '}')
}
