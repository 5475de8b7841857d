// JSON as LogFlux reads it, on Go's standard library. It shares no code with LogFlux.
package logflux

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// readObject reads one JSON object; the fields within others only need to be distinct.
func readObject(data []byte) map[string]any {
	need(utf8.Valid(data) && !halfSurrogate(data), "json")
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	read := readValue(decoder, 0)
	_, err := decoder.Token()
	object, ok := read.(map[string]any)
	need(err == io.EOF && ok, "json")
	return object
}

func readValue(decoder *json.Decoder, depth int) any {
	token, err := decoder.Token()
	need(err == nil && depth < 1000, "json")
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for decoder.More() {
			key, err := decoder.Token()
			name, ok := key.(string)
			need(err == nil && ok, "json")
			_, twice := object[name]
			need(!twice, "json")
			object[name] = readValue(decoder, depth+1)
		}
		_, err = decoder.Token()
		need(err == nil, "json")
		return object
	case json.Delim('['):
		for decoder.More() {
			readValue(decoder, depth+1)
		}
		_, err = decoder.Token()
		need(err == nil, "json")
		return nil
	}
	return token
}

var surrogates = regexp.MustCompile(`\\(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)`)

// halfSurrogate finds the escapes that Go would replace in silence.
func halfSurrogate(data []byte) bool {
	for _, escape := range surrogates.FindAll(data, -1) {
		if len(escape) == 6 {
			return true
		}
	}
	return false
}

// quoted writes a node, which has no control characters.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
