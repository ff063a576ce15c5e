package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func record(id int64) Record {
	return Record{
		ID: id, At: time.UnixMicro(1772499600000000 + id).UTC(), Actor: "staff:12", Kind: "ticket.dispatched",
		Subject: fmt.Sprintf("ticket:%d", id%97), Data: json.RawMessage(fmt.Sprintf(`{"to":"grid:%d"}`, id%31)),
	}
}

// chain seals n records, with ids that have holes as a sequence leaves them.
func chain(t testing.TB, n int) []Entry {
	t.Helper()
	entries := make([]Entry, n)
	var prev []byte
	for i := range entries {
		r := record(int64(i)*3 + 5)
		hash, err := Link(prev, r)
		if err != nil {
			t.Fatal(err)
		}
		entries[i] = Entry{Position: int64(i) + 1, RecordID: r.ID, Hash: hash, Record: &r}
		prev = hash
	}
	return entries
}

func all(entries []Entry) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func verify(t testing.TB, entries []Entry, kept ...Head) Report {
	t.Helper()
	r, err := Verify(all(entries), Head{}, kept...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// altered returns a copy of a record with one field changed.
func altered(r Record, field int) *Record {
	switch field {
	case 0:
		r.ID++
	case 1:
		r.At = r.At.Add(time.Microsecond)
	case 2:
		r.Actor += "3"
	case 3:
		r.Kind = "ticket.closed"
	case 4:
		r.Subject += "1"
	case 5:
		r.Data = json.RawMessage(`{"to":"grid:999"}`)
	case 6:
		r.Digest = []byte{1}
	}
	return &r
}

// Promise P8: of 100,000 records the one that was altered or taken out is
// named, and nothing else.
func TestP8OneOfMany(t *testing.T) {
	const n = 100_000
	whole := chain(t, n)
	head := Head{n, whole[n-1].Hash}
	if r := verify(t, whole, head); !r.OK() || r.Sealed != n || r.Head.Position != n {
		t.Fatalf("the whole chain: %+v", r)
	}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, n-1).Draw(t, "at")
		// A window around the place, from a head just before it: the rest of
		// the chain is checked above, and each run would cost half a second.
		from, to := max(0, i-5), min(n, i+6)
		start := Head{}
		if from > 0 {
			start = Head{int64(from), whole[from-1].Hash}
		}
		window := slices.Clone(whole[from:to])
		at := i - from
		wantFaultAt := whole[i]
		switch how := rapid.IntRange(0, 8).Draw(t, "how"); how {
		case 7: // the record is gone, its link stands
			window[at].Record = nil
		case 8: // both are gone; the next one is where it shows
			if at == len(window)-1 {
				t.Skip("the end is cut off: TestCutOffEnd")
			}
			wantFaultAt = window[at+1]
			window = slices.Delete(window, at, at+1)
		default:
			window[at].Record = altered(*window[at].Record, how)
		}
		r, err := Verify(all(window), start)
		if err != nil {
			t.Fatal(err)
		}
		if r.First == nil || r.First.Position != wantFaultAt.Position || r.First.RecordID != wantFaultAt.RecordID || r.Faults != 1 {
			t.Fatalf("found %v and %d in all, want position %d alone", r.First, r.Faults, wantFaultAt.Position)
		}
		if len(window) < to-from && (len(r.Gaps) != 1 || r.Gaps[0] != Gap{whole[i].Position, whole[i].Position}) {
			t.Fatalf("gaps %v, want just %d", r.Gaps, whole[i].Position)
		}
	})
	whole[54_321].Record = altered(*whole[54_321].Record, 5)
	if r := verify(t, whole); r.First == nil || r.First.Position != 54_322 || r.Faults != 1 {
		t.Fatalf("altered in the whole chain: %+v", r)
	}
}

func TestCutOffEnd(t *testing.T) {
	entries := chain(t, 20)
	head := Head{20, entries[19].Hash}
	if r := verify(t, entries[:15]); !r.OK() {
		t.Fatalf("without a kept head a shorter chain is whole: %+v", r)
	}
	r := verify(t, entries[:15], head)
	if r.First == nil || !strings.Contains(r.First.Reason, "ends at position 15") {
		t.Fatalf("the end was cut off: %+v", r)
	}
}

func TestChainComputedAnew(t *testing.T) {
	entries := chain(t, 20)
	kept := []Head{{5, entries[4].Hash}, {15, entries[14].Hash}}
	forged := chain(t, 20)
	var prev []byte
	for i := range forged {
		if i == 9 {
			forged[i].Record = altered(*forged[i].Record, 2)
		}
		hash, err := Link(prev, *forged[i].Record)
		if err != nil {
			t.Fatal(err)
		}
		forged[i].Hash, prev = hash, hash
	}
	if r := verify(t, forged); !r.OK() {
		t.Fatalf("alone it is whole: %+v", r)
	}
	if r := verify(t, forged, kept...); r.First == nil || r.First.Position != 15 {
		t.Fatalf("against kept heads: %+v", r)
	}
}

func TestOrderAndInsertion(t *testing.T) {
	swapped := chain(t, 10)
	swapped[3].Record, swapped[4].Record = swapped[4].Record, swapped[3].Record
	if r := verify(t, swapped); r.First == nil || r.First.Position != 4 || r.Faults != 2 {
		t.Errorf("two records swapped: %+v", r)
	}
	doubled := chain(t, 10)
	doubled = slices.Insert(doubled, 5, doubled[4])
	if r := verify(t, doubled); r.First == nil || r.First.Position != 5 {
		t.Errorf("a record put in: %+v", r)
	}
}

func TestUnsealedTail(t *testing.T) {
	entries := chain(t, 10)
	tail := record(500)
	entries = append(entries, Entry{RecordID: 500, Record: &tail}, Entry{RecordID: 501, Record: altered(tail, 0)})
	r := verify(t, entries)
	if !r.OK() || r.Sealed != 10 || r.Unsealed != 2 || r.FirstUnsealed != 500 {
		t.Fatalf("%+v", r)
	}
	if r := verify(t, nil); !r.OK() || r.Sealed != 0 {
		t.Fatalf("an empty trail: %+v", r)
	}
	late := append(slices.Clone(entries[9:10]), entries[9])
	late[0].Hash = nil
	if r, err := Verify(all(late), Head{9, entries[8].Hash}); err != nil || r.OK() {
		t.Fatalf("sealed behind unsealed: %+v, %v", r, err)
	}
}

func TestStartFromAHead(t *testing.T) {
	entries := chain(t, 20)
	r, err := Verify(all(entries[8:]), Head{8, entries[7].Hash}, Head{3, []byte("long forgotten")})
	if err != nil || !r.OK() || r.Sealed != 12 || r.Head.Position != 20 {
		t.Fatalf("%+v, %v", r, err)
	}
	r, err = Verify(all(entries[8:]), Head{8, entries[6].Hash})
	if err != nil || r.First == nil || r.First.Position != 9 {
		t.Fatalf("from a wrong head: %+v, %v", r, err)
	}
}

func TestReadingFails(t *testing.T) {
	broken := errors.New("connection lost")
	entries := func(yield func(Entry, error) bool) {
		if yield(chain(t, 1)[0], nil) {
			yield(Entry{}, broken)
		}
	}
	if r, err := Verify(entries, Head{}); !errors.Is(err, broken) || r.Sealed != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
}

// What jsonb does to a value leaves the bytes alone.
func TestCanonicalSurvivesJSONB(t *testing.T) {
	base := record(1)
	base.Data = json.RawMessage(`{"b":1,"a":{"y":[1,"二",null,true],"x":"<&>"},"aa":-12345678901234567890}`)
	want, err := base.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	for _, same := range []string{
		`{"a": {"x": "<&>", "y": [1, "二", null, true]}, "b": 1, "aa": -12345678901234567890}`,
		` { "aa":-12345678901234567890, "b":1,"a":{"y":[1,"\u4e8c",null,true],"x":"\u003c&>"} } `,
	} {
		base.Data = json.RawMessage(same)
		got, err := base.Canonical()
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s gives other bytes, %v", same, err)
		}
	}
	base.At = base.At.Add(999 * time.Nanosecond)
	if got, _ := base.Canonical(); !bytes.Equal(got, want) {
		t.Error("nanoseconds, which PostgreSQL cuts off, change the bytes")
	}
	base.At = base.At.In(time.FixedZone("x", 8*3600))
	if got, _ := base.Canonical(); !bytes.Equal(got, want) {
		t.Error("the zone changes the bytes")
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, data := range []string{
		`{"a":1.5}`, `{"a":1e3}`, `{"a":-0}`, `{"a":1,"a":2}`, `{"a":{"b":1,"b":1}}`, `[1]`, `"x"`, `1`, `null`,
		`{"a":"\u0000"}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", `{"a":1}{}`, `{"a":`, `{`, `{"a" 1}`, `{"\u0000":1}`,
		`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	} {
		r := record(1)
		r.Data = json.RawMessage(data)
		if got, err := r.Canonical(); err == nil {
			t.Errorf("%s gives %q", data, got)
		}
		if _, err := Link(nil, r); err == nil {
			t.Errorf("%s is linked", data)
		}
	}
	for _, empty := range []string{"", " ", "{}", " {} "} {
		r := record(1)
		r.Data = json.RawMessage(empty)
		if got, err := r.Canonical(); err != nil || !bytes.Contains(got, []byte("{}")) {
			t.Errorf("%q: %q, %v", empty, got, err)
		}
	}
}

// No two records have the same bytes: fields do not run into one another.
func TestCanonicalIsInjective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Record {
			text := rapid.StringMatching(`[a-c:]{0,3}`)
			return Record{
				ID: rapid.Int64Range(0, 2).Draw(t, name+"id"), At: time.UnixMicro(rapid.Int64Range(0, 1).Draw(t, name+"at")),
				Actor: text.Draw(t, name+"actor"), Kind: text.Draw(t, name+"kind"), Subject: text.Draw(t, name+"subject"),
				Digest: []byte(text.Draw(t, name+"digest")),
			}
		}
		a, b := draw("a"), draw("b")
		ca, errA := a.Canonical()
		cb, errB := b.Canonical()
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		same := a.ID == b.ID && a.At.Equal(b.At) && a.Actor == b.Actor && a.Kind == b.Kind && a.Subject == b.Subject && bytes.Equal(a.Digest, b.Digest)
		if bytes.Equal(ca, cb) != same {
			t.Fatalf("%+v and %+v: bytes equal %v", a, b, !same)
		}
	})
}

// The chain is a format: stored hashes have to be found again by every later
// version.
func TestLinkIsFixed(t *testing.T) {
	hash, err := Link(nil, record(5))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", hash[:8]); got != "ff556ed31241f252" {
		t.Errorf("Link of the sample record starts with %s", got)
	}
}

func TestSalted(t *testing.T) {
	salt := NewSalt()
	if len(salt) != SaltSize || bytes.Equal(salt, NewSalt()) {
		t.Fatal("salts are not random")
	}
	if !bytes.Equal(Salted([]byte("水井盖"), salt), Salted([]byte("水井盖"), salt)) {
		t.Error("the digest is not stable")
	}
	if bytes.Equal(Salted([]byte("水井盖"), salt), Salted([]byte("水井盖"), NewSalt())) {
		t.Error("the digest does not depend on the salt")
	}
}

func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, `{"a":[{"b":null}]}`, `{`, `{"a":"\ud83d\ude00"}`, `[[[[`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := canonicalJSON(data)
		if err != nil {
			return
		}
		again, err := canonicalJSON(once)
		if err != nil || !bytes.Equal(once, again) {
			t.Fatalf("%q gives %q, which gives %q, %v", data, once, again, err)
		}
	})
}

func TestReportInWords(t *testing.T) {
	r := Report{Sealed: 5, Unsealed: 2, Faults: 1, First: &Fault{Position: 3, RecordID: 7, Reason: "altered"}, Gaps: []Gap{{From: 2, To: 2}}}
	want := "5 records chained, 2 not chained yet; positions 2 to 2 were taken out; 1 faults, the first: record 7 at position 3: altered"
	if r.String() != want {
		t.Errorf("got  %s\nwant %s", r, want)
	}
}
