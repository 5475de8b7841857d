// The subject of the Go SDK: what `logflux certify` starts.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"time"

	logflux "github.com/logflux/logflux/bindings/go"
	"github.com/logflux/logflux/bindings/go/hazmat"
)

// octets are bytes that travel in hexadecimal.
type octets []byte

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(text))
	return err
}

func (o octets) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(o)), nil }

type message struct {
	Text  octets        `json:"message_hex"`
	Level logflux.Level `json:"loglevel"`
}

type request struct {
	message
	ID       int
	Op       string
	Mode     logflux.Mode
	Node     string
	Endpoint string
	Messages []message
	Time     time.Time      `json:"timestamp"`
	Secret   octets         `json:"secret_hex"`
	Salt     octets         `json:"salt_hex"`
	IV       octets         `json:"iv_hex"`
	Entry    []byte         `json:"entry_b64"`
	CAFile   string         `json:"ca_file"`
	Key      logflux.APIKey `json:"api_key"`
	Timeout  time.Duration  `json:"timeout_ms"`
	Hints    map[string]time.Duration
}

type parts map[string]any

var (
	// What lasts between requests; the client ships.
	openers = map[string]*logflux.Opener{}
	sealers = map[string]*logflux.Sealer{}
	client  *logflux.Client
)

func (r *request) do() (parts, error) {
	switch r.Op {
	case "hello":
		return parts{"name": "logflux (Go module)", "version": logflux.Version(), "language": "Go",
			"operations": []string{"open", "parse", "seal", "derive", "ship"}, "modes": []int{1, 2, 3, 4, 128}, "key_policy": "unique"}, nil
	case "open":
		message, err := r.open()
		return parts{"message_hex": octets(message)}, err
	case "parse":
		_, err := logflux.ParseEntry(string(r.Entry))
		return parts{}, err
	case "derive":
		key, err := hazmat.DeriveKey(string(r.Secret), uint32(r.Mode), r.Salt)
		return parts{"key_hex": octets(key)}, err
	case "seal":
		entry, err := r.seal()
		return parts{"entry_b64": []byte(entry)}, err
	case "ship":
		return parts{}, r.ship()
	case "flush":
		ctx, cancel := context.WithTimeout(context.Background(), r.Timeout*time.Millisecond)
		defer cancel()
		return parts{}, errors.Join(client.Flush(ctx), client.Close(ctx))
	}
	return parts{}, nil
}

func (r *request) open() (_ string, err error) {
	opener := openers[string(r.Secret)]
	if opener == nil {
		if opener, err = logflux.NewOpener(logflux.NewKeyring(logflux.Secret(r.Secret)), logflux.OpenerOptions{}); err != nil {
			return "", err
		}
		openers[string(r.Secret)] = opener
	}
	return opener.Open(string(r.Entry))
}

func (r *request) seal() (_ string, err error) {
	if r.Salt != nil {
		return hazmat.Seal(hazmat.Sealing{Secret: string(r.Secret), Mode: uint32(r.Mode), Salt: r.Salt, IV: r.IV, Node: r.Node,
			Level: uint32(r.Level), Time: r.Time, Message: string(r.Text)})
	}
	name := string(r.Secret) + string(rune(r.Mode))
	if sealers[name] == nil {
		options := logflux.SealerOptions{Mode: r.Mode, KeyPolicy: logflux.KeyPolicy{Kind: logflux.Unique}}
		if sealers[name], err = logflux.NewSealer(logflux.Secret(r.Secret), options); err != nil {
			return "", err
		}
	}
	at := r.Time.In(time.FixedZone("", 0)) // the zero value would be now
	return sealers[name].Seal(logflux.Message{Node: r.Node, Level: r.Level, Time: at, Text: string(r.Text)})
}

func (r *request) ship() (err error) {
	client, err = logflux.New(logflux.Config{
		ServerURL: r.Endpoint, APIKey: r.Key, Secret: logflux.Secret(r.Secret), Node: r.Node, CAFile: r.CAFile, Mode: r.Mode,
		FlushInterval: r.Hints["flush_interval_ms"] * time.Millisecond,
		InitialDelay:  r.Hints["initial_delay_ms"] * time.Millisecond,
		MaxDelay:      r.Hints["max_delay_ms"] * time.Millisecond,
	})
	for _, m := range r.Messages {
		client.Log(m.Level, string(m.Text))
	}
	return err
}

func (r *request) answer() parts {
	done, err := r.do()
	if err == nil {
		return parts{"id": r.ID, "ok": done}
	}
	failed := parts{"message": err.Error()}
	if stage := logflux.Stage(err); stage != "" {
		failed["stage"] = stage
	}
	return parts{"id": r.ID, "error": failed}
}

func main() {
	lines, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for line, err := lines.ReadBytes('\n'); err == nil; line, err = lines.ReadBytes('\n') {
		var r request
		if json.Unmarshal(line, &r) != nil || out.Encode(r.answer()) != nil || r.Op == "stop" {
			return
		}
	}
}
