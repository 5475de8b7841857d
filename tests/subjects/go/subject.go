// A subject on Go's standard library: the implementation is in logflux.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"time"

	"logflux.example/subject/logflux"
)

// octets are bytes that travel in hexadecimal.
type octets []byte

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(text))
	return err
}

func (o octets) MarshalText() ([]byte, error) {
	return []byte(hex.EncodeToString(o)), nil
}

type message struct {
	Text  octets `json:"message_hex"`
	Level int    `json:"loglevel"`
}

type request struct {
	message
	ID       int
	Op       string
	Mode     int
	Node     string
	Endpoint string
	Messages []message
	Time     string `json:"timestamp"`
	Secret   octets `json:"secret_hex"`
	Salt     octets `json:"salt_hex"`
	IV       octets `json:"iv_hex"`
	Entry    []byte `json:"entry_b64"`
	CAFile   string `json:"ca_file"`
	Key      string `json:"api_key"`
	Timeout  int    `json:"timeout_ms"`
}

type parts map[string]any

var client *logflux.Client

func (r *request) do() (parts, error) {
	switch r.Op {
	case "hello":
		return parts{"name": "Go standard library", "version": runtime.Version(), "language": "Go",
			"operations": []string{"open", "parse", "seal", "derive", "ship"}, "modes": logflux.Modes, "key_policy": "unique"}, nil
	case "open":
		message, err := logflux.Open(r.Entry, r.Secret)
		return parts{"message_hex": octets(message)}, err
	case "parse":
		_, err := logflux.Parse(r.Entry)
		return parts{}, err
	case "derive":
		key, err := logflux.DeriveKey(r.Mode, r.Secret, r.Salt)
		return parts{"key_hex": octets(key)}, err
	case "seal":
		entry, err := r.seal()
		return parts{"entry_b64": entry}, err
	case "ship":
		return parts{}, r.ship()
	case "flush":
		if client == nil {
			return nil, logflux.Refused("")
		}
		return parts{}, client.Flush(time.Duration(r.Timeout) * time.Millisecond)
	}
	return parts{}, nil
}

func (r *request) seal() ([]byte, error) {
	about := logflux.Metadata{Node: r.Node, Level: r.Level, Mode: r.Mode, Timestamp: r.Time}
	if r.Salt == nil {
		return logflux.Seal(r.Secret, r.Text, about)
	}
	return logflux.SealWith(r.Secret, r.Text, about, r.Salt, r.IV)
}

func (r *request) ship() (err error) {
	client, err = logflux.NewClient(r.Endpoint, r.CAFile, r.Key, r.Secret)
	for _, m := range r.Messages {
		if err == nil {
			err = client.Log(r.Node, m.Level, r.Mode, m.Text)
		}
	}
	return err
}

func (r *request) answer() parts {
	done, err := r.do()
	var stage logflux.Refused
	switch {
	case err == nil:
		return parts{"id": r.ID, "ok": done}
	case errors.As(err, &stage) && stage != "":
		return parts{"id": r.ID, "error": parts{"stage": stage}}
	}
	return parts{"id": r.ID, "error": parts{"message": err.Error()}}
}

func main() {
	lines, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var r request
		if json.Unmarshal(line, &r) != nil || out.Encode(r.answer()) != nil || r.Op == "stop" {
			return
		}
	}
}
