// A subject on Go's standard library: the format is entry.go.
package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
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

const batch = 100

var (
	again    = map[int]bool{408: true, 429: true, 500: true, 502: true, 503: true, 504: true, 507: true}
	epoch    = fresh(16)
	shipment struct {
		request
		client  *http.Client
		entries [][]byte
	}
)

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

func (r *request) ship() {
	need(strings.HasPrefix(r.Endpoint, "https://"), "")
	pem, err := os.ReadFile(r.CAFile)
	roots := x509.NewCertPool()
	need(err == nil && roots.AppendCertsFromPEM(pem), "")
	shipment.client = &http.Client{
		Timeout:       10 * time.Second,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	shipment.request, shipment.entries = *r, nil
	for _, m := range r.Messages {
		shipment.entries = append(shipment.entries, r.seal(m, time.Now().UTC().Format(time.RFC3339Nano)))
	}
}

func flush(until time.Time) {
	for pause := 100 * time.Millisecond; len(shipment.entries) > 0; pause *= 2 {
		count := len(shipment.entries)
		if count > batch {
			count = batch
		}
		status, wait := post(bytes.Join(shipment.entries[:count], []byte(",")))
		if status == 200 {
			shipment.entries = shipment.entries[count:]
			pause /= 2
			continue
		}
		need(status < 300 || again[status], "")
		if wait < pause {
			wait = pause
		}
		need(time.Now().Add(wait).Before(until), "")
		time.Sleep(wait)
	}
}

// post makes one attempt: the status, or 0, and how long to wait before the next.
func post(entries []byte) (int, time.Duration) {
	body := append(append([]byte("["), entries...), ']')
	call, err := http.NewRequest("POST", shipment.Endpoint+"/v1/ingest", bytes.NewReader(body))
	need(err == nil, "")
	call.Header.Set("Authorization", "Bearer "+shipment.Key)
	call.Header.Set("Content-Type", "application/json")
	answer, err := shipment.client.Do(call)
	if err != nil {
		return 0, 0
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, answer.Body)
	value := answer.Header.Get("Retry-After")
	var wait time.Duration
	if seconds, err := strconv.Atoi(value); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		wait = time.Until(date)
	}
	if wait > 5*time.Minute {
		wait = 5 * time.Minute
	}
	return answer.StatusCode, wait
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
