package logflux

import (
	"sync"
	"time"

	"github.com/logflux/logflux/bindings/go/internal/native"
)

// watcher tells of drops and of sentences. The native half calls nothing in Go, so it is asked.
type watcher struct {
	native   native.Client
	onDrop   func(map[DropReason]uint64)
	onNotice func(string)
	told     [native.Reasons]uint64
	once     sync.Once
	end      chan struct{}
	ended    chan struct{}
}

// watch begins to watch; it gives nil where nobody is to be told. It knows the native half alone, so that a client
// that nobody knows any more can go.
func watch(made native.Client, onDrop func(map[DropReason]uint64), onNotice func(string)) *watcher {
	if onDrop == nil && onNotice == nil {
		return nil
	}
	w := &watcher{native: made, onDrop: onDrop, onNotice: onNotice, end: make(chan struct{}), ended: make(chan struct{})}
	go w.run()
	return w
}

// stop tells what there is to be told yet, and ends. The native half may be freed then.
func (w *watcher) stop() {
	if w == nil {
		return
	}
	w.once.Do(func() { close(w.end) })
	<-w.ended
}

func (w *watcher) run() {
	defer close(w.ended)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-w.end:
			w.tell()
			return
		case <-ticker.C:
			w.tell()
		}
	}
}

func (w *watcher) tell() {
	// What the application does wrong here is not to end it.
	defer func() { _ = recover() }()
	if w.onNotice != nil {
		for {
			sentence, err := w.native.TakeNotice()
			if err != nil || sentence == "" {
				break
			}
			w.onNotice(sentence)
		}
	}
	if w.onDrop == nil {
		return
	}
	found, err := w.native.Stats()
	if err != nil {
		return
	}
	if counts := byReason(found.ByReason, w.told); len(counts) > 0 {
		w.told = found.ByReason
		w.onDrop(counts)
	}
}
