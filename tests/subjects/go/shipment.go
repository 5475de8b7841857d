// Shipping entries on Go's standard library.
package main

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

var (
	again    = map[int]bool{408: true, 429: true, 500: true, 502: true, 503: true, 504: true, 507: true}
	shipment struct {
		request
		client  *http.Client
		entries [][]byte
	}
)

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
