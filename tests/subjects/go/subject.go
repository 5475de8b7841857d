// A subject on Go's standard library: the format is entry.go.
package main

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"time"
)

type message struct {
	Hex   string `json:"message_hex"`
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
	Time     string  `json:"timestamp"`
	Secret   string  `json:"secret_hex"`
	Salt     *string `json:"salt_hex"`
	IV       *string `json:"iv_hex"`
	Entry    []byte  `json:"entry_b64"`
	CAFile   string  `json:"ca_file"`
	Key      string  `json:"api_key"`
	Timeout  int     `json:"timeout_ms"`
}

type parts map[string]any

var epoch = fresh(16)

func fresh(length int) []byte {
	drawn := make([]byte, length)
	if _, err := rand.Read(drawn); err != nil {
		panic(err)
	}
	return drawn
}

func unhex(text string) []byte {
	decoded, err := hex.DecodeString(text)
	need(err == nil, "")
	return decoded
}

func (r *request) seal(m message, timestamp string) []byte {
	e := &entry{node: r.Node, level: m.Level, timestamp: timestamp, mode: r.Mode, iv: fresh(12), salt: fresh(32)}
	if r.Mode == 128 {
		copy(e.salt, epoch)
	}
	if r.Salt != nil {
		e.salt, e.iv = unhex(*r.Salt), unhex(*r.IV)
	}
	return e.seal(unhex(r.Secret), unhex(m.Hex))
}

func (r *request) do() parts {
	switch r.Op {
	case "hello":
		return parts{"name": "Go standard library", "version": runtime.Version(), "language": "Go",
			"operations": []string{"open", "parse", "seal", "derive", "ship"}, "modes": modes, "key_policy": "unique"}
	case "open":
		return parts{"message_hex": hex.EncodeToString(open(r.Entry, unhex(r.Secret)))}
	case "parse":
		parse(r.Entry)
	case "derive":
		key, _ := keys(r.Mode, unhex(r.Secret), unhex(*r.Salt))
		return parts{"key_hex": hex.EncodeToString(key)}
	case "seal":
		return parts{"entry_b64": r.seal(r.message, r.Time)}
	case "ship":
		r.ship()
	case "flush":
		flush(time.Now().Add(time.Duration(r.Timeout) * time.Millisecond))
	}
	return parts{}
}

func (r *request) answer() (answer parts) {
	answer = parts{"id": r.ID}
	defer func() {
		switch stage := recover().(type) {
		case nil:
		case refused:
			answer["error"] = parts{"stage": nil, "message": stage.Error()}
			if stage != "" {
				answer["error"].(parts)["stage"] = stage
			}
		default:
			panic(stage)
		}
	}()
	answer["ok"] = r.do()
	return answer
}

func main() {
	lines, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		var r request
		if json.Unmarshal(line, &r) != nil || out.Encode(r.answer()) != nil || r.Op == "stop" {
			return
		}
	}
}
