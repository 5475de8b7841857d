//go:build !cgo || !linux || !amd64

package native

// Without the native half every call fails, and what is logged goes nowhere.

// Client is missing.
type Client struct{}

// NewClient fails.
func NewClient(Settings) (Client, error) { return Client{}, ErrMissing }

// Log does nothing.
func (Client) Log(uint32, string) {}

// LogAt does nothing.
func (Client) LogAt(uint32, Time, string) {}

// IsEnabled is false.
func (Client) IsEnabled(uint32) bool { return false }

// CloseTimeoutMS is 0.
func (Client) CloseTimeoutMS() uint64 { return 0 }

// Close fails.
func (Client) Close(uint64) (Flushed, error) { return Flushed{}, ErrMissing }

// Flush fails.
func (Client) Flush(uint64) (Flushed, error) { return Flushed{}, ErrMissing }

// Free does nothing.
func (Client) Free() {}

// BeginFlush fails.
func (Client) BeginFlush() (Ticket, error) { return Ticket{}, ErrMissing }

// Stats fails.
func (Client) Stats() (Stats, error) { return Stats{}, ErrMissing }

// LastFailure fails.
func (Client) LastFailure() (string, error) { return "", ErrMissing }

// TakeNotice fails.
func (Client) TakeNotice() (string, error) { return "", ErrMissing }

// RotateSecret fails.
func (Client) RotateSecret(string) error { return ErrMissing }

// RotateAPIKey fails.
func (Client) RotateAPIKey(string) error { return ErrMissing }

// RotateCAFile fails.
func (Client) RotateCAFile(string) error { return ErrMissing }

// Ticket is missing.
type Ticket struct{}

// IsDone is true.
func (Ticket) IsDone() bool { return true }

// Answer fails.
func (Ticket) Answer() (Flushed, error) { return Flushed{}, ErrMissing }

// Free does nothing.
func (Ticket) Free() {}

// Sealer is missing.
type Sealer struct{}

// NewSealer fails.
func NewSealer(string, uint32, Policy) (Sealer, error) { return Sealer{}, ErrMissing }

// Seal fails.
func (Sealer) Seal(string, uint32, *Time, string) (string, error) { return "", ErrMissing }

// Stats fails.
func (Sealer) Stats() (SealerStats, error) { return SealerStats{}, ErrMissing }

// Free does nothing.
func (Sealer) Free() {}

// HazmatSeal fails.
func HazmatSeal(string, uint32, string, string, string, uint32, *Time, string) (string, error) {
	return "", ErrMissing
}

// HazmatDerive fails.
func HazmatDerive(string, uint32, string) (string, error) { return "", ErrMissing }

// Opener is missing.
type Opener struct{}

// NewOpener fails.
func NewOpener([]DatedSecret, uint, uint) (Opener, error) { return Opener{}, ErrMissing }

// Open fails.
func (Opener) Open(string, bool) (string, error) { return "", ErrMissing }

// OpenMany fails.
func (Opener) OpenMany([]string) ([]Opened, error) { return nil, ErrMissing }

// Free does nothing.
func (Opener) Free() {}

// ParseEntry fails.
func ParseEntry(string) (Entry, error) { return Entry{}, ErrMissing }

// GenerateSecret fails.
func GenerateSecret() (string, error) { return "", ErrMissing }

// SecretFromEnv fails.
func SecretFromEnv() (string, error) { return "", ErrMissing }

// AfterRestore does nothing.
func AfterRestore() {}

// Version is unknown.
func Version() string { return "" }
