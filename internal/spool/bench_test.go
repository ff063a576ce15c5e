package spool

import (
	"bytes"
	"strconv"
	"testing"
)

// One acknowledgement while the database is away: two fsyncs.
func BenchmarkPut(b *testing.B) {
	s := open(b, b.TempDir(), 1<<40)
	body := bytes.Repeat([]byte("x"), 300)
	for n := 0; b.Loop(); n++ {
		if err := s.Put(strconv.Itoa(n%100), body); err != nil {
			b.Fatal(err)
		}
	}
}
