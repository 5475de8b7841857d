// Shipping entries on Go's standard library. It shares no code with LogFlux.
package logflux

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const batch = 100

// Client seals what is logged, and sends it when it is flushed.
type Client struct {
	http             *http.Client
	endpoint, apiKey string
	secret           []byte
	entries          [][]byte
}

// NewClient makes a client of an endpoint; the authority of caFile is the one it trusts.
func NewClient(endpoint, caFile, apiKey string, secret []byte) (client *Client, err error) {
	defer catch(&err)
	need(strings.HasPrefix(endpoint, "https://"), "")
	pem, err := os.ReadFile(caFile)
	roots := x509.NewCertPool()
	need(err == nil && roots.AppendCertsFromPEM(pem), "")
	return &Client{endpoint: endpoint, apiKey: apiKey, secret: secret, http: &http.Client{
		Timeout:       10 * time.Second,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Log seals a message, of now.
func (c *Client) Log(node string, level, mode int, message []byte) error {
	now := time.Now().UTC().Format(time.RFC3339Nano)
	entry, err := Seal(c.secret, message, Metadata{Node: node, Level: level, Mode: mode, Timestamp: now})
	if err == nil {
		c.entries = append(c.entries, entry)
	}
	return err
}

// answer is what the server says, if anything: Status in the body is empty where it is no ingest API.
type answer struct {
	code int
	wait time.Duration
	api  struct {
		Status   string
		Failures []any
	}
}

// Flush sends everything, or gives up in time. Only the API itself can refuse an entry.
func (c *Client) Flush(timeout time.Duration) (err error) {
	defer catch(&err)
	until := time.Now().Add(timeout)
	size, refused, pause := batch, 0, 100*time.Millisecond
	for len(c.entries) > 0 {
		if size > len(c.entries) {
			size = len(c.entries)
		}
		got := c.post(bytes.Join(c.entries[:size], []byte(",")))
		final, ours := got.code == 400 || got.code == 413, got.api.Status != ""
		if final && size > 1 && (ours || got.code == 413) {
			size /= 2
			continue
		}
		if ours && (got.code == 200 || final) {
			refused += len(got.api.Failures)
			if final {
				refused++
			}
			c.entries = c.entries[size:]
			size, pause = batch, 100*time.Millisecond
			continue
		}
		wait := pause
		if wait < got.wait {
			wait = got.wait
		}
		need(time.Now().Add(wait).Before(until), "")
		time.Sleep(wait)
		pause *= 2
	}
	need(refused == 0, "")
	return nil
}

// post makes one attempt.
func (c *Client) post(entries []byte) (got answer) {
	body := append(append([]byte("["), entries...), ']')
	call, err := http.NewRequest("POST", c.endpoint+"/v1/ingest", bytes.NewReader(body))
	need(err == nil, "")
	call.Header.Set("Authorization", "Bearer "+c.apiKey)
	call.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(call)
	if err != nil {
		return
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	if err != nil {
		return
	}
	got.code = response.StatusCode
	if json.Unmarshal(body, &got.api) != nil {
		got.api.Status = ""
	}
	value := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		got.wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		got.wait = time.Until(date)
	}
	if got.wait > 5*time.Minute {
		got.wait = 5 * time.Minute
	}
	return
}
