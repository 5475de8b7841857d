package logflux

import (
	"runtime"

	"github.com/logflux/logflux/bindings/go/internal/native"
)

// Stats are what became of all messages of a client, at one moment: at every read Accepted = Delivered + Dropped +
// Pending + Spooled.
type Stats struct {
	// Accepted is how many messages were logged.
	Accepted uint64
	// Delivered is how many entries the server has taken, duplicates included.
	Delivered uint64
	// Dropped is how many messages were dropped, and DroppedBy how many for each reason. Reasons without a
	// dropped message are left out.
	Dropped   uint64
	DroppedBy map[DropReason]uint64
	// Pending is how many messages wait in memory.
	Pending uint64
	// Spooled is how many entries are durable in the spool, and wait.
	Spooled uint64
	// Requests is how many requests were sent, and Retries how many of them after a failure.
	Requests, Retries uint64
	// Bytes is how many bytes of request bodies were sent.
	Bytes uint64
	// DeadLetters is how many entries were put into the dead-letter file.
	DeadLetters uint64
	// Derivations is how many keys were derived.
	Derivations uint64
	// LastError is what failed last; empty where nothing has.
	LastError string
}

// DropReason is why a message was dropped.
type DropReason string

// Why a message was dropped.
const (
	DropQueueFull     DropReason = "queue_full"    // the queue was full
	DropTooLong       DropReason = "too_long"      // the message is longer than an entry can hold
	DropClosed        DropReason = "closed"        // the client was closed before, or before it was delivered
	DropRefused       DropReason = "refused"       // the server refused the entry for good
	DropUndeliverable DropReason = "undeliverable" // every attempt failed, and there is no spool
	DropSpoolFull     DropReason = "spool_full"    // the spool was full, or its disk
	DropUnsealed      DropReason = "unsealed"      // the system gave no random bytes or no memory
	DropSpoolDamaged  DropReason = "spool_damaged" // the disk of the spool has damaged the entry
	DropWorkerFailed  DropReason = "worker_failed" // a thread of the client failed, which is a fault of LogFlux
)

// dropReasons are in the order of the native half.
var dropReasons = [...]DropReason{
	DropQueueFull, DropTooLong, DropClosed, DropRefused, DropUndeliverable, DropSpoolFull, DropUnsealed,
	DropSpoolDamaged, DropWorkerFailed,
}

// Stats are the client's counts now.
func (c *Client) Stats() Stats {
	if c == nil {
		return Stats{}
	}
	defer runtime.KeepAlive(c)
	found, err := c.native.Stats()
	if err != nil {
		return Stats{LastError: err.Error()}
	}
	failure, _ := c.native.LastFailure()
	return Stats{
		Accepted:    found.Accepted,
		Delivered:   found.Delivered,
		Dropped:     found.Dropped,
		DroppedBy:   byReason(found.ByReason, [native.Reasons]uint64{}),
		Pending:     found.Pending,
		Spooled:     found.Spooled,
		Requests:    found.Requests,
		Retries:     found.Retries,
		Bytes:       found.Bytes,
		DeadLetters: found.DeadLetters,
		Derivations: found.Derivations,
		LastError:   failure,
	}
}

// byReason is what was dropped since then.
func byReason(now, before [native.Reasons]uint64) map[DropReason]uint64 {
	counts := map[DropReason]uint64{}
	for at, reason := range dropReasons {
		if count := now[at] - before[at]; count > 0 {
			counts[reason] = count
		}
	}
	return counts
}
