// Checks a log of Bauta with the packages that check Go's own checksum database, and not a line of ours:
//
//	go run . LOG KEY PROOF... -- CONSISTENCY...
//
// LOG is the folder of one log, KEY its verifier key, PROOF a c2sp.org/tlog-proof, CONSISTENCY a file of `size1 root1 size2 root2` and the digests
// between them, one a line. Says what was checked; exit 1 and why at the first thing that is wrong.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Println("WRONG:", err)
		os.Exit(1)
	}
	return value
}

func check(err error) { must(0, err) }

func hash(text string) tlog.Hash {
	bytes := must(base64.StdEncoding.DecodeString(text))
	if len(bytes) != tlog.HashSize {
		check(fmt.Errorf("a digest of %d bytes", len(bytes)))
	}
	return tlog.Hash(bytes)
}

func hashes(lines []string) (all []tlog.Hash) {
	for _, line := range lines {
		all = append(all, hash(line))
	}
	return all
}

// Origin, size and root of a signed checkpoint.
func open(text []byte, key note.Verifier) tlog.Tree {
	opened := must(note.Open(text, note.VerifierList(key)))
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], key.Name()) {
		check(fmt.Errorf("not a checkpoint of %s", key.Name()))
	}
	return tlog.Tree{N: must(strconv.ParseInt(lines[1], 10, 64)), Hash: hash(lines[2])}
}

// Tiles on disk, as c2sp.org/tlog-tiles names them: without the height that Go's paths have.
type folder string

func (f folder) Height() int                         { return height }
func (f folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		bytes, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		all = append(all, bytes)
	}
	return all, nil
}

func (f folder) entries(size int64) (all [][]byte) {
	for n := int64(0); n*256 < size; n++ {
		tile := tlog.Tile{H: height, L: -1, N: n, W: int(min(256, size-n*256))}
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/data/", height), "tile/entries/", 1)
		bytes := must(os.ReadFile(filepath.Join(string(f), path)))
		for len(bytes) > 0 {
			end := 2 + int(binary.BigEndian.Uint16(bytes))
			all, bytes = append(all, bytes[2:end]), bytes[end:]
		}
	}
	return all
}

func checkLog(log folder, key note.Verifier) tlog.Tree {
	tree := open(must(os.ReadFile(filepath.Join(string(log), "checkpoint"))), key)
	reader := tlog.TileHashReader(tree, log)
	entries := log.entries(tree.N)
	if int64(len(entries)) != tree.N {
		check(fmt.Errorf("%d entries of %d", len(entries), tree.N))
	}
	for i, entry := range entries {
		digest := tlog.RecordHash(entry)
		check(tlog.CheckRecord(must(tlog.ProveRecord(tree.N, int64(i), reader)), tree.N, tree.Hash, int64(i), digest))
	}
	for size := int64(1); size <= tree.N; size++ {
		older := must(tlog.TreeHash(size, reader))
		check(tlog.CheckTree(must(tlog.ProveTree(tree.N, size, reader)), tree.N, tree.Hash, size, older))
	}
	return tree
}

// c2sp.org/tlog-proof: header, extra (the entry), index, digests, blank line, checkpoint.
func checkProof(path string, key note.Verifier) {
	head, signed, _ := strings.Cut(string(must(os.ReadFile(path))), "\n\n")
	tree := open([]byte(signed), key)
	lines := strings.Split(head, "\n")
	entry := must(base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra ")))
	index := must(strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64))
	check(tlog.CheckRecord(hashes(lines[3:]), tree.N, tree.Hash, index, tlog.RecordHash(entry)))
}

func checkConsistency(path string) {
	words := strings.Fields(string(must(os.ReadFile(path))))
	older, newer := must(strconv.ParseInt(words[0], 10, 64)), must(strconv.ParseInt(words[2], 10, 64))
	check(tlog.CheckTree(hashes(words[4:]), newer, hash(words[3]), older, hash(words[1])))
}

func main() {
	key := must(note.NewVerifier(strings.TrimSpace(string(must(os.ReadFile(os.Args[2]))))))
	tree := checkLog(folder(os.Args[1]), key)
	proofs, consistencies, both := os.Args[3:], 0, false
	for _, path := range os.Args[3:] {
		if path == "--" {
			both = true
		} else if both {
			checkConsistency(path)
			consistencies++
		} else {
			checkProof(path, key)
		}
	}
	if both {
		proofs = proofs[:len(proofs)-consistencies-1]
	}
	fmt.Printf("%d entries, %d proofs, %d consistency proofs: whole\n", tree.N, len(proofs), consistencies)
}
