package audit

import (
	"bytes"
	"fmt"
	"iter"
)

// Entry is one line of the trail as stored: its place in the chain and the
// record that belongs there.
type Entry struct {
	// Position counts sealed records upwards in the order of sealing; 0 for a
	// record that is not sealed.
	Position int64
	// RecordID is the id that the chain says the record has.
	RecordID int64
	// Hash is what the sealer stored, nil when not sealed.
	Hash []byte
	// Record is nil when the chain names a record that is no longer there.
	Record *Record
}

// Head is where a chain stands: the last position and its hash. The zero Head
// is the start of all.
type Head struct {
	Position int64
	Hash     []byte
}

// Fault says what is wrong at one place.
type Fault struct {
	Position int64
	RecordID int64
	Reason   string
}

func (f Fault) String() string {
	return fmt.Sprintf("record %d at position %d: %s", f.RecordID, f.Position, f.Reason)
}

// Gap is a run of positions that no entry has. The sealer numbers without
// gaps, so each position in it was taken out.
type Gap struct{ From, To int64 }

// Report is what Verify found.
type Report struct {
	Sealed int64 // records that are chained
	// First is the first fault, nil when the chain is whole; Faults counts all.
	First  *Fault
	Faults int64
	Gaps   []Gap
	// Unsealed counts the tail that is not chained yet, from FirstUnsealed.
	Unsealed      int64
	FirstUnsealed int64
	// Head is where the chain ends; keep it elsewhere for a later Verify.
	Head Head
}

// OK reports whether every sealed record is as it was sealed.
func (r Report) OK() bool { return r.First == nil }

// String says it in one line an operator can read.
func (r Report) String() string {
	s := fmt.Sprintf("%d records chained, %d not chained yet", r.Sealed, r.Unsealed)
	for _, g := range r.Gaps {
		s += fmt.Sprintf("; positions %d to %d were taken out", g.From, g.To)
	}
	if r.First != nil {
		s += fmt.Sprintf("; %d faults, the first: %s", r.Faults, r.First)
	}
	return s
}

// Verify checks the entries behind start, sealed ones first in the order of
// their positions, then the unsealed. It goes on after a fault, from the stored
// hash, so that one altered record is one fault. The kept heads, taken earlier
// and kept elsewhere, must still be on the chain: that shows a cut-off end or a
// chain that was computed anew. The error is of reading, not of the trail.
func Verify(entries iter.Seq2[Entry, error], start Head, kept ...Head) (Report, error) {
	r := Report{Head: start}
	open := map[int64]Head{}
	for _, head := range kept {
		if head.Position > start.Position {
			open[head.Position] = head
		}
	}
	for e, err := range entries {
		if err != nil {
			return r, fmt.Errorf("read the trail after position %d: %w", r.Head.Position, err)
		}
		if e.Hash == nil {
			r.unsealed(e)
			continue
		}
		r.sealed(e)
		if head, ok := open[e.Position]; ok {
			delete(open, e.Position)
			if !bytes.Equal(head.Hash, e.Hash) {
				r.fault(e, "the chain was computed anew: its hash is not the one kept elsewhere")
			}
		}
	}
	for _, head := range kept { // in the order given, not of a map
		if _, missing := open[head.Position]; missing {
			r.fault(Entry{Position: head.Position}, fmt.Sprintf("the chain ends at position %d, before a head kept elsewhere", r.Head.Position))
		}
	}
	return r, nil
}

// sealed checks one link and moves the head.
func (r *Report) sealed(e Entry) {
	r.Sealed++
	if e.Position != r.Head.Position+1 {
		if e.Position > r.Head.Position {
			r.Gaps = append(r.Gaps, Gap{r.Head.Position + 1, e.Position - 1})
		}
		r.fault(e, fmt.Sprintf("it follows position %d: records between were taken out or put in", r.Head.Position))
	} else if reason := r.check(e); reason != "" {
		r.fault(e, reason)
	}
	if r.Unsealed > 0 {
		r.fault(e, "it stands behind records that are not sealed")
	}
	r.Head = Head{e.Position, e.Hash}
}

// check returns what is wrong with a link that stands where it should.
func (r *Report) check(e Entry) string {
	if e.Record == nil {
		return "the record is gone"
	}
	if e.Record.ID != e.RecordID {
		return fmt.Sprintf("another record, %d, stands in its place", e.Record.ID)
	}
	hash, err := Link(r.Head.Hash, *e.Record)
	if err != nil {
		return fmt.Sprintf("it was altered: %v", err)
	}
	if !bytes.Equal(hash, e.Hash) {
		return "it, or its place in the chain, was altered"
	}
	return ""
}

func (r *Report) unsealed(e Entry) {
	if r.Unsealed == 0 {
		r.FirstUnsealed = e.RecordID
	}
	r.Unsealed++
}

func (r *Report) fault(e Entry, reason string) {
	r.Faults++
	if r.First == nil {
		r.First = &Fault{e.Position, e.RecordID, reason}
	}
}
