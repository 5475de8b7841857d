package logflux

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// Level is the severity of a message: the eight of syslog (PROTOCOL 2). A lower number is more severe.
type Level uint32

// The levels.
const (
	LevelEmergency Level = iota + 1 // the system is unusable
	LevelAlert                      // action must be taken at once
	LevelCritical                   // a critical condition
	LevelError                      // an error
	LevelWarning                    // a warning
	LevelNotice                     // normal, but significant
	LevelInfo                       // informational
	LevelDebug                      // for debugging
)

var levels = [...]string{"", "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"}

// String is the level's name, such as "warning".
func (l Level) String() string {
	if l < LevelEmergency || l > LevelDebug {
		return fmt.Sprintf("Level(%d)", uint32(l))
	}
	return levels[l]
}

// ParseLevel reads a level's name, in any case, or its number.
func ParseLevel(text string) (Level, error) {
	for level := LevelEmergency; level <= LevelDebug; level++ {
		if strings.EqualFold(text, level.String()) || text == strconv.Itoa(int(level)) {
			return level, nil
		}
	}
	return 0, &EntryError{failure: failure{message: "level must be 1 to 8, or its name"}, Field: "loglevel"}
}

// FromSlog is the level of one of log/slog: debug below 0, info from 0, notice from 2, warning from 4, error from
// 8, critical from 12.
func FromSlog(level slog.Level) Level {
	switch {
	case level < slog.LevelInfo:
		return LevelDebug
	case level < slog.LevelInfo+2:
		return LevelInfo
	case level < slog.LevelWarn:
		return LevelNotice
	case level < slog.LevelError:
		return LevelWarning
	case level < slog.LevelError+4:
		return LevelError
	default:
		return LevelCritical
	}
}

// Mode is how an entry is sealed (PROTOCOL 4).
type Mode uint32

// The modes.
const (
	ModePBKDF2         Mode = 1   // the standard: AES-256-GCM under a PBKDF2-HMAC-SHA256 key of 600,000 iterations
	ModeScrypt         Mode = 2   // provisional: AES-256-GCM under a scrypt key
	ModeArgon2         Mode = 3   // provisional: AES-256-GCM under an Argon2id key
	ModeChaCha20Argon2 Mode = 4   // provisional: ChaCha20-Poly1305 under an Argon2id key
	ModeHKDF           Mode = 128 // an extension: a key of its own for every entry at full speed
)
