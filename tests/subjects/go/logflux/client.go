// Shipping entries on Go's standard library. It shares no code with LogFlux.
package logflux

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const batch = 100

var again = map[int]bool{408: true, 429: true, 500: true, 502: true, 503: true, 504: true, 507: true}

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

// Flush sends everything, or gives up in time.
func (c *Client) Flush(timeout time.Duration) (err error) {
	defer catch(&err)
	until := time.Now().Add(timeout)
	for pause := 100 * time.Millisecond; len(c.entries) > 0; pause *= 2 {
		count := len(c.entries)
		if count > batch {
			count = batch
		}
		status, wait := c.post(bytes.Join(c.entries[:count], []byte(",")))
		if status == 200 {
			c.entries = c.entries[count:]
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
	return nil
}

// post makes one attempt: the status, or 0, and how long to wait before the next.
func (c *Client) post(entries []byte) (int, time.Duration) {
	body := append(append([]byte("["), entries...), ']')
	call, err := http.NewRequest("POST", c.endpoint+"/v1/ingest", bytes.NewReader(body))
	need(err == nil, "")
	call.Header.Set("Authorization", "Bearer "+c.apiKey)
	call.Header.Set("Content-Type", "application/json")
	answer, err := c.http.Do(call)
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
