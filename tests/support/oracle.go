// Answers, as the engines' own language would: one JSON request a line on stdin, one JSON answer a line on stdout.
//
// Only the standard library, so that it builds without a network. Bytes travel as base64 ([]byte in encoding/json).
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"regexp"
	"strings"
)

type request struct {
	Op    string   `json:"op"`
	Text  string   `json:"text"`
	Data  []byte   `json:"data"`
	Texts []string `json:"texts"`
}

type answer struct {
	Error  string            `json:"error,omitempty"`
	Lines  [][]byte          `json:"lines,omitempty"`
	Found  []bool            `json:"found,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
	Bot    *bot              `json:"bot,omitempty"`
	Text   string            `json:"text,omitempty"`
}

// bot is what an engine decodes a row of a bots file into; unknown fields are errors to it.
type bot struct {
	Name      string   `json:"name"`
	UserAgent string   `json:"user_agent"`
	Paths     []string `json:"paths"`
	IPs       []string `json:"ips"`
	Ranges    []string `json:"ranges"`
	RDNS      []string `json:"rdns"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	decoder := json.NewDecoder(in)
	for decoder.More() {
		var asked request
		if err := decoder.Decode(&asked); err != nil {
			panic(err)
		}
		if err := encoder.Encode(answered(asked)); err != nil {
			panic(err)
		}
	}
}

func answered(asked request) answer {
	var given answer
	var err error
	switch asked.Op {
	case "regexp":
		given.Found, err = found(asked.Text, asked.Texts)
	case "lines":
		given.Lines, err = lines(asked.Data)
	case "map":
		err = json.Unmarshal(asked.Data, &given.Fields)
		if err == nil && given.Fields["type"] == "regex" {
			_, err = regexp.Compile(given.Fields["pattern"])
		}
	case "bots":
		given.Bot, err = decoded(asked.Data)
	case "uri":
		err = json.Unmarshal(asked.Data, &given.Fields)
	case "prefix":
		var prefix netip.Prefix
		prefix, err = netip.ParsePrefix(asked.Text)
		given.Text = prefix.Masked().String()
	case "address":
		var address netip.Addr
		address, err = netip.ParseAddr(asked.Text)
		given.Text = address.String()
	default:
		panic("no such op: " + asked.Op)
	}
	if err != nil {
		return answer{Error: err.Error(), Lines: given.Lines}
	}
	return given
}

func found(pattern string, texts []string) ([]bool, error) {
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	matched := []bool{}
	for _, text := range texts {
		matched = append(matched, compiled.MatchString(text))
	}
	return matched, nil
}

// lines reads as engines do: a Scanner as it comes, whose longest line is 64 KiB.
func lines(data []byte) ([][]byte, error) {
	scanner := bufio.NewScanner(bytes.NewReader(data))
	read := [][]byte{}
	for scanner.Scan() {
		read = append(read, bytes.Clone(scanner.Bytes()))
	}
	return read, scanner.Err()
}

func decoded(row []byte) (*bot, error) {
	decoder := json.NewDecoder(strings.NewReader(string(row)))
	decoder.DisallowUnknownFields()
	var entry bot
	if err := decoder.Decode(&entry); err != nil {
		return nil, err
	}
	for _, list := range [][]string{{entry.UserAgent}, entry.Paths, entry.RDNS} {
		for _, pattern := range list {
			if _, err := regexp.Compile("(?i)" + pattern); err != nil {
				return nil, err
			}
		}
	}
	for _, text := range entry.IPs {
		if _, err := netip.ParseAddr(text); err != nil {
			return nil, err
		}
	}
	for _, text := range entry.Ranges {
		if _, err := netip.ParsePrefix(text); err != nil {
			return nil, err
		}
	}
	return &entry, nil
}
