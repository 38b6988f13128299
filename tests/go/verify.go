// Checks our notes and proofs with Go's own packages for transparency logs:
//
//	verify note KEY FILE
//	verify event KEY FILE
//	verify consistency KEY FILE
//
// KEY is a verifier key. The formats are those of journal/FORMAT.md. One line on the standard output, "ok ..." or
// "refused: ...", and exit code 0 or 1.
package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type checkpoint struct {
	origin string
	size   int64
	root   tlog.Hash
}

func refuse(format string, values ...interface{}) {
	fmt.Printf("refused: "+format+"\n", values...)
	os.Exit(1)
}

func parseHash(text string) tlog.Hash {
	var hash tlog.Hash
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) != tlog.HashSize {
		refuse("not a hash: %q", text)
	}
	copy(hash[:], data)
	return hash
}

func parseNumber(text string) int64 {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 {
		refuse("not a number: %q", text)
	}
	return number
}

func openCheckpoint(data []byte, key string) checkpoint {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		refuse("key: %v", err)
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		refuse("note: %v", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 {
		refuse("a checkpoint has three lines")
	}
	return checkpoint{lines[0], parseNumber(lines[1]), parseHash(lines[2])}
}

// takeLines returns the lines before the first empty one, which begin with the given words, and what follows it.
func takeLines(data []byte, first string, words ...string) ([]string, []byte) {
	end := bytes.Index(data, []byte("\n\n"))
	if end < 0 {
		refuse("malformed proof")
	}
	lines := strings.Split(string(data[:end]), "\n")
	if lines[0] != first || len(lines) <= len(words) {
		refuse("malformed proof")
	}
	for at, word := range words {
		if !strings.HasPrefix(lines[at+1], word+" ") {
			refuse("malformed proof")
		}
		lines[at+1] = lines[at+1][len(word)+1:]
	}
	return lines[1:], data[end+2:]
}

func splitParts(data []byte, first, second string) ([]byte, []byte) {
	size := parseNumber(first)
	if size > int64(len(data)) || parseNumber(second) != int64(len(data))-size {
		refuse("the lengths of the parts do not fit")
	}
	return data[:size], data[size:]
}

func parseHashes(lines []string) []tlog.Hash {
	var hashes []tlog.Hash
	for _, line := range lines {
		hashes = append(hashes, parseHash(line))
	}
	return hashes
}

func main() {
	if len(os.Args) != 4 {
		refuse("usage: verify note|event|consistency KEY FILE")
	}
	command, key := os.Args[1], os.Args[2]
	data, err := os.ReadFile(os.Args[3])
	if err != nil {
		refuse("%v", err)
	}
	switch command {
	case "note":
		tree := openCheckpoint(data, key)
		fmt.Printf("ok note %s %d %x\n", tree.origin, tree.size, tree.root[:])
	case "event":
		head, rest := takeLines(data, "journal-event-proof@v1", "event", "proof", "frame")
		proof, frame := splitParts(rest, head[1], head[2])
		lines, signed := takeLines(proof, "c2sp.org/tlog-proof@v1", "index")
		tree, index := openCheckpoint(signed, key), parseNumber(lines[0])
		if err := tlog.CheckRecord(parseHashes(lines[1:]), tree.size, tree.root, index, tlog.RecordHash(frame)); err != nil {
			refuse("inclusion: %v", err)
		}
		fmt.Printf("ok inclusion %d of %d\n", index, tree.size)
	case "consistency":
		lines, rest := takeLines(data, "journal-consistency-proof@v1", "old", "new")
		first, second := splitParts(rest, lines[0], lines[1])
		old, tree := openCheckpoint(first, key), openCheckpoint(second, key)
		if old.origin != tree.origin {
			refuse("two origins: %s and %s", old.origin, tree.origin)
		}
		if err := tlog.CheckTree(parseHashes(lines[2:]), tree.size, tree.root, old.size, old.root); err != nil {
			refuse("consistency: %v", err)
		}
		fmt.Printf("ok consistency %d of %d\n", old.size, tree.size)
	default:
		refuse("usage: verify note|event|consistency KEY FILE")
	}
}
