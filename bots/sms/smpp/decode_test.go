package smpp

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/sms/smpp/pdu"
)

func TestWords(t *testing.T) {
	for _, c := range []struct {
		alphabet string
		coding   byte
		data     []byte
		want     string
		ok       bool
	}{
		{AlphabetGSM7, 0, []byte{0x00, 0x41, 0x1B, 0x65}, "@A€", true},
		{AlphabetLatin1, 0, []byte{0x40, 0xE9}, "@é", true},
		{AlphabetASCII, 0, []byte("id:1"), "id:1", true},
		{AlphabetGSM7, 1, []byte("plain @"), "plain @", true},
		{AlphabetGSM7, 3, []byte{0xE9, 0x7B}, "é{", true},
		{AlphabetGSM7, 8, []byte{0x8D, 0xEF, 0xD8, 0x3D, 0xDE, 0x42}, "路🙂", true},
		{AlphabetGSM7, 8, []byte{0x8D, 0xEF, 0x70}, "路", true},             // half a unit
		{AlphabetGSM7, 8, []byte{0xD8, 0x3D, 0x8D, 0xEF}, "\uFFFD路", true}, // half a pair
		{AlphabetGSM7, 8, []byte{0x00, 0x00, 0x8D, 0xEF}, "路", true},
		{AlphabetGSM7, 0x0F, []byte{0xC2, 0xB7, 0xB5, 0xC6}, "路灯", true},
		{AlphabetGSM7, 0x18, []byte{0x8D, 0xEF}, "路", true},
		{AlphabetGSM7, 0x11, []byte{0x41}, "A", true},
		{AlphabetGSM7, 0xF1, []byte{0x00}, "@", true},
		{AlphabetGSM7, 0xF5, []byte{0x00}, "", false},
		{AlphabetGSM7, 2, []byte{1, 2}, "", false},
		{AlphabetGSM7, 4, []byte{1, 2}, "", false},
	} {
		got, ok := words(c.alphabet, c.coding, c.data)
		if got != c.want || ok != c.ok {
			t.Errorf("coding %#x in %s: % X is %q, %v, want %q, %v", c.coding, c.alphabet, c.data, got, ok, c.want, c.ok)
		}
	}
}

func TestUnpack(t *testing.T) {
	for name, c := range map[string]struct {
		m    pdu.Message
		data string
		want joint
	}{
		"8-bit reference":  {pdu.Message{ESMClass: 0x40, ShortMessage: []byte("\x05\x00\x03\x07\x03\x02ab")}, "ab", joint{7, 3, 2}},
		"16-bit reference": {pdu.Message{ESMClass: 0x40, ShortMessage: []byte("\x06\x08\x04\x01\x02\x03\x02ab")}, "ab", joint{0x102, 3, 2}},
		"behind another element": {
			pdu.Message{ESMClass: 0x40, ShortMessage: []byte("\x0b\x05\x04\x0b\x84\x0b\x84\x00\x03\x07\x02\x01ab")}, "ab", joint{7, 2, 1},
		},
		"header in the payload": {
			pdu.Message{ESMClass: 0x40, Params: pdu.Params{{Tag: pdu.MessagePayload, Value: []byte("\x05\x00\x03\x07\x03\x02ab")}}}, "ab", joint{7, 3, 2},
		},
		"sar": {pdu.Message{ShortMessage: []byte("ab"), Params: pdu.Params{
			{Tag: pdu.SarRefNum, Value: []byte{1, 2}}, {Tag: pdu.SarTotalSegments, Value: []byte{3}}, {Tag: pdu.SarSegmentSeqnum, Value: []byte{2}},
		}}, "ab", joint{0x102, 3, 2}},
		"sar without its number": {pdu.Message{ShortMessage: []byte("ab"), Params: pdu.Params{
			{Tag: pdu.SarRefNum, Value: []byte{1, 2}}, {Tag: pdu.SarTotalSegments, Value: []byte{3}},
		}}, "ab", joint{}},
		"one of one":            {pdu.Message{ESMClass: 0x40, ShortMessage: []byte("\x05\x00\x03\x07\x01\x01ab")}, "ab", joint{}},
		"number beyond total":   {pdu.Message{ESMClass: 0x40, ShortMessage: []byte("\x05\x00\x03\x07\x02\x03ab")}, "ab", joint{}},
		"number 0":              {pdu.Message{ESMClass: 0x40, ShortMessage: []byte("\x05\x00\x03\x07\x02\x00ab")}, "ab", joint{}},
		"header longer than it": {pdu.Message{ESMClass: 0x40, ShortMessage: []byte("\x55ab")}, "\x55ab", joint{}},
		"element too long":      {pdu.Message{ESMClass: 0x40, ShortMessage: []byte("\x03\x00\x09\x01ab")}, "ab", joint{}},
		"empty":                 {pdu.Message{ESMClass: 0x40}, "", joint{}},
	} {
		p, j := unpack(c.m)
		if string(p.Data) != c.data || j != c.want {
			t.Errorf("%s: %q %+v, want %q %+v", name, p.Data, j, c.data, c.want)
		}
	}
}

func TestReceipts(t *testing.T) {
	text := func(s string) pdu.Message { return pdu.Message{ESMClass: 4, ShortMessage: []byte(s)} }
	for name, c := range map[string]struct {
		m    pdu.Message
		want receipt
		ok   bool
	}{
		"text":               {text("id:0123 sub:001 dlvrd:001 submit date:2603020900 done date:2603020901 stat:DELIVRD err:000 text:hello"), receipt{"0123", pdu.Delivered, "DELIVRD 000"}, true},
		"in capitals, short": {text("ID:a-1 STAT:undeliv ERR:027"), receipt{"a-1", pdu.Undeliverable, "UNDELIV 027"}, true},
		"the text lies":      {text("id:1 stat:EXPIRED err:001 text:id:2 stat:DELIVRD"), receipt{"1", pdu.Expired, "EXPIRED 001"}, true},
		"parameters first": {pdu.Message{ESMClass: 4, ShortMessage: []byte("id:16 stat:DELIVRD"), Params: pdu.Params{
			{Tag: pdu.ReceiptedMessageID, Value: []byte("10\x00")}, {Tag: pdu.MessageState, Value: []byte{5}}, {Tag: pdu.NetworkErrorCode, Value: []byte{3, 0, 27}},
		}}, receipt{"10", pdu.Undeliverable, "UNDELIV 027"}, true},
		"one of each": {pdu.Message{ESMClass: 4, ShortMessage: []byte("stat:REJECTD"), Params: pdu.Params{
			{Tag: pdu.ReceiptedMessageID, Value: []byte("10")},
		}}, receipt{"10", pdu.Rejected, "REJECTD"}, true},
		"no state":     {text("id:1"), receipt{}, false},
		"strange":      {text("id:1 stat:BANANA"), receipt{}, false},
		"no id":        {text("stat:DELIVRD"), receipt{}, false},
		"nothing":      {text(""), receipt{}, false},
		"state beyond": {pdu.Message{Params: pdu.Params{{Tag: pdu.ReceiptedMessageID, Value: []byte("1")}, {Tag: pdu.MessageState, Value: []byte{9}}}}, receipt{"1", 9, "STATE9"}, true},
	} {
		got, ok := readReceipt(AlphabetGSM7, c.m)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: %+v, %v, want %+v, %v", name, got, ok, c.want, c.ok)
		}
	}
}

// What goes out comes in as it was.
func TestPackAndJoin(t *testing.T) {
	for _, text := range []string{
		"a", strings.Repeat("{", 100), strings.Repeat("灯坏了", 70), strings.Repeat("🙂", 80), "ç€", "Δ", strings.Repeat("é", 200),
	} {
		for _, alphabet := range []string{AlphabetGSM7, AlphabetLatin1, AlphabetASCII} {
			for _, long := range []string{LongUDH, LongSAR, LongPayload} {
				_, parts := split(alphabet, text)
				messages := pack(alphabet, long, 9, text)
				if want := len(parts); long != LongPayload && len(messages) != want {
					t.Errorf("%d messages, want %d", len(messages), want)
				}
				var pieces []*piece
				for i, m := range messages {
					if len(m.ShortMessage) > 160+6 || m.DataCoding == 8 && len(m.ShortMessage) > 140 {
						t.Errorf("%q: a piece of %d bytes", text, len(m.ShortMessage))
					}
					p, j := unpack(m)
					if len(messages) > 1 && (j != joint{9, len(messages), i + 1}) {
						t.Errorf("piece %d says %+v", i, j)
					}
					pieces = append(pieces, &p)
				}
				if got, ok := join(alphabet, "…", pieces); got != text || !ok {
					t.Errorf("%s %s: %q comes as %q", alphabet, long, text, got)
				}
			}
		}
	}
}

func TestJoinSaysWhatIsMissing(t *testing.T) {
	a, b := piece{8, []byte{0x8D, 0xEF}}, piece{0, []byte("A")}
	if got, ok := join(AlphabetGSM7, "[…]", []*piece{nil, &a, nil, nil, &b}); got != "[…]路[…][…]A" || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
	if got, ok := join(AlphabetGSM7, "[…]", []*piece{nil, {4, []byte{1}}}); ok {
		t.Errorf("no text is %q", got)
	}
	// A pair that was cut between two pieces is whole again.
	smile := []byte{0xD8, 0x3D, 0xDE, 0x42}
	if got, _ := join(AlphabetGSM7, "", []*piece{{8, smile[:2]}, {8, smile[2:]}}); got != "🙂" {
		t.Errorf("a pair in two pieces is %q", got)
	}
}

func TestEveryStatusHasItsName(t *testing.T) {
	for status, class := range classes {
		if strings.HasPrefix(status.String(), "command_status") {
			t.Errorf("%#x (%s) has no name of the specification", uint32(status), class)
		}
	}
}

func TestReferencesDiffer(t *testing.T) {
	s := newSent()
	a, b := s.begin("x", "1", 2), s.begin("x", "2", 2)
	if a.ref == b.ref {
		t.Error("two texts to one number share a reference")
	}
	if other := s.begin("y", "3", 2); other.ref != a.ref {
		t.Error("references are not counted for each number")
	}
}

func TestTrackedMessagesAreBounded(t *testing.T) {
	s := newSent()
	for range maxTracked + 10 {
		o := s.begin("x", "k", 1)
		s.answered(o, "id")
		o = s.begin("y", "k", 2)
		s.answered(o, "half")
		s.stopped(o, true)
	}
	if len(s.age) > maxTracked || len(s.open) > 2 || len(s.byID) > 2 || len(s.partly) > 1 {
		t.Errorf("%d remembered, %d open, %d ids, %d partly", len(s.age), len(s.open), len(s.byID), len(s.partly))
	}
}

// What is wrong with our own settings says nothing of the person.
func TestSettingsAreNobodysFault(t *testing.T) {
	for _, status := range []pdu.Status{0x0A, 0x48, 0x49, 0x50, 0x51} {
		if got := bots.ClassOf((&Channel{}).failed(status)); got != bots.ClassLoggedOut {
			t.Errorf("%s is %s", status, got)
		}
	}
}

func TestPausesBetweenBinds(t *testing.T) {
	l, pause := Limits{ReconnectMin: 100 * time.Millisecond, ReconnectMax: time.Second}, time.Duration(0)
	for i, step := range []struct{ lasted, want time.Duration }{
		{0, 100 * time.Millisecond},
		{0, 200 * time.Millisecond},
		{50 * time.Millisecond, 400 * time.Millisecond}, // let in and thrown out
		{50 * time.Millisecond, 800 * time.Millisecond},
		{0, time.Second},
		{time.Hour, 100 * time.Millisecond},
	} {
		if pause = l.again(pause, step.lasted); pause != step.want {
			t.Errorf("pause %d is %s, want %s", i+1, pause, step.want)
		}
	}
}

func TestReportsOfManyParts(t *testing.T) {
	s := newSent()
	o := s.begin("x", "77", 3)
	for _, id := range []string{"a", "b", "c"} {
		s.answered(o, id)
	}
	for _, step := range []struct {
		id    string
		state bots.ReportState
		want  bots.Report
	}{
		{"b", bots.ReportBuffered, bots.Report{ID: "c", Key: "77", State: bots.ReportBuffered}},
		{"c", bots.ReportDelivered, bots.Report{ID: "c", Key: "77", State: bots.ReportBuffered}},
		{"b", bots.ReportDelivered, bots.Report{ID: "c", Key: "77", State: bots.ReportBuffered}},
		{"b", bots.ReportDelivered, bots.Report{ID: "c", Key: "77", State: bots.ReportBuffered}},
		{"a", bots.ReportDelivered, bots.Report{ID: "c", Key: "77", State: bots.ReportDelivered}},
		{"c", bots.ReportDelivered, bots.Report{ID: "c", State: bots.ReportDelivered}}, // forgotten: as after a restart
	} {
		if got, ok := s.report("x", step.id, step.state); got != step.want || !ok {
			t.Errorf("%s %s: %+v %v, want %+v", step.id, step.state, got, ok, step.want)
		}
	}
	o = s.begin("x", "78", 2)
	s.answered(o, "d")
	s.answered(o, "e")
	s.report("x", "e", bots.ReportDelivered)
	if got, ok := s.report("x", "d", bots.ReportFailed); !ok || got.State != bots.ReportFailed || got.ID != "e" {
		t.Errorf("one part failed: %+v", got)
	}
}

// The centre had the first part of two, and the connection broke before the
// second: that the first was delivered does not make the message sent.
func TestAPartSaysNothingOfTheWhole(t *testing.T) {
	s := newSent()
	lost := s.begin("x", "1", 2)
	s.stopped(lost, false)
	if got, ok := s.report("x", "a", bots.ReportDelivered); ok {
		t.Errorf("one of two parts is delivered: %+v", got)
	}
	half := s.begin("y", "2", 2)
	s.answered(half, "b")
	s.stopped(half, false)
	for _, state := range []bots.ReportState{bots.ReportBuffered, bots.ReportDelivered} {
		if got, ok := s.report("y", "b", state); ok {
			t.Errorf("one of two parts is %s: %+v", state, got)
		}
	}
	if got, ok := s.report("y", "c", bots.ReportDelivered); !ok || got.Key != "2" || got.State != bots.ReportDelivered {
		t.Errorf("the other came too: %+v", got)
	}
	failed := s.begin("z", "3", 2)
	s.answered(failed, "d")
	s.stopped(failed, false)
	if got, ok := s.report("z", "d", bots.ReportFailed); !ok || got.Key != "3" || got.State != bots.ReportFailed {
		t.Errorf("one of two parts failed: %+v", got)
	}
}

// A receipt that is faster than the answer, or whose answer was lost: of a
// message of one part the gateway finds the row by the id, and may know that it
// is another's.
func TestReportOfTheOnlyOpenMessage(t *testing.T) {
	s := newSent()
	report := func(id, key string) {
		t.Helper()
		want := bots.Report{ID: id, Key: key, State: bots.ReportDelivered}
		if got, ok := s.report("x", id, bots.ReportDelivered); got != want || !ok {
			t.Errorf("%+v %v, want %+v", got, ok, want)
		}
	}
	early := s.begin("x", "1", 1)
	report("a", "")
	s.answered(early, "a")
	if len(s.open) > 0 || len(s.byID) > 0 {
		t.Errorf("it is not forgotten: %v %v", s.open, s.byID)
	}
	lost := s.begin("x", "2", 1)
	s.stopped(lost, false)
	second := s.begin("x", "3", 1)
	report("b", "")
	s.answered(second, "c")
	report("c", "3")
	report("b", "")
	if len(s.open) > 0 {
		t.Errorf("still open: %v", s.open)
	}
	long := s.begin("x", "4", 2) // 2 is settled, so only this one is open
	s.answered(long, "d")
	s.stopped(long, false)
	if got, ok := s.report("x", "d", bots.ReportDelivered); ok {
		t.Errorf("half of 4: %+v", got)
	}
	report("e", "4")
	if len(s.open) > 0 {
		t.Errorf("still open: %v", s.open)
	}
}

func FuzzDeliver(f *testing.F) {
	f.Add(byte(0x40), byte(8), []byte("\x05\x00\x03\x07\x03\x02\x8d\xef"), []byte{})
	f.Add(byte(0x04), byte(0), []byte("id:1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:x"), []byte("\x00\x1e\x00\x021\x00\x04\x27\x00\x01\x02"))
	f.Add(byte(0), byte(0x0f), []byte{0xC2, 0xB7}, []byte("\x02\x0c\x00\x02\x00\x01\x02\x0e\x00\x01\x02\x02\x0f\x00\x01\x01"))
	f.Add(byte(0x04), byte(0), []byte("id:1 stat:DELIVRD err:\x01\xff"), []byte("\x00\x1e\x00\x02\xe9\x01"))
	f.Fuzz(func(t *testing.T, class, coding byte, data, params []byte) {
		if len(data) > pdu.MaxShort {
			return
		}
		body, err := pdu.Message{ESMClass: class, DataCoding: coding, ShortMessage: data}.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := pdu.ParseMessage(append(body, params...))
		if err != nil {
			return
		}
		p, j := unpack(m)
		if j.total > 1 && (j.number < 1 || j.number > j.total || j.total > 255) {
			t.Fatalf("an impossible place %+v", j)
		}
		text, _ := join(AlphabetGSM7, "…", []*piece{&p, nil})
		if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
			t.Fatalf("not for an event: %q", text)
		}
		if r, ok := readReceipt(AlphabetLatin1, m); ok {
			ev := bots.Event{Key: "r", Channel: "c", Chat: "x", From: bots.Identity{User: "x"}, Kind: bots.KindReport}
			ev.Report = &bots.Report{ID: r.id, State: bots.ReportBuffered, Code: r.code}
			if err := ev.Validate(); err != nil || r.id == "" || len(r.code) > 32 {
				t.Fatalf("a receipt %+v: %v", r, err)
			}
		}
	})
}

func FuzzPack(f *testing.F) {
	f.Add("灯坏了🙂")
	f.Add(strings.Repeat("{", 200))
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || strings.Contains(text, "\x00") || sms.Parts(text) > 100 {
			return
		}
		var pieces []*piece
		for _, m := range pack(AlphabetGSM7, LongUDH, 1, text) {
			if _, err := m.Append(nil); err != nil {
				t.Fatal(err)
			}
			p, _ := unpack(m)
			pieces = append(pieces, &p)
		}
		if got, _ := join(AlphabetGSM7, "", pieces); got != text {
			t.Fatalf("%q comes as %q", text, got)
		}
	})
}

func TestReadingAWholeMessageIsCheap(t *testing.T) {
	long := pdu.Message{DataCoding: 8, Params: pdu.Params{{Tag: pdu.MessagePayload, Value: bytes.Repeat([]byte{0x8D, 0xEF}, 30_000)}}}
	p, _ := unpack(long)
	if text, ok := join(AlphabetGSM7, "", []*piece{&p}); !ok || len(text) != 90_000 {
		t.Errorf("%d bytes, %v", len(text), ok)
	}
}
