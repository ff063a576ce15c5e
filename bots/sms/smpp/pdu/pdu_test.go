package pdu

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

// The bytes are written by hand from the tables of the specification.
func TestBytesOfTheSpecification(t *testing.T) {
	bind, err := Bind{SystemID: "SMPP3TEST", Password: "secret08", SystemType: "SUBMIT1", Version: 0x34, Range: Address{TON: 1, NPI: 1}}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	// The example of 3.2.3, whose interface_version there is 0.
	got := hex.EncodeToString(PDU{Command: BindTransmitter, Sequence: 1, Body: bind}.Append(nil))
	want := "0000002f" + "00000002" + "00000000" + "00000001" +
		"534d50503354455354" + "00" + "7365637265743038" + "00" + "5355424d495431" + "00" + "34" + "01" + "01" + "00"
	if got != want {
		t.Errorf("bind_transmitter\n got %s\nwant %s", got, want)
	}
	m := Message{
		From: Address{1, 1, "10690"}, To: Address{1, 1, "8613800138000"}, ESMClass: ESMUDHI, Registered: 1, DataCoding: 8,
		ShortMessage: []byte{0x8d, 0xef}, Params: Params{{UserMessageReference, []byte{0, 7}}},
	}
	body, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	want = "00" + "0101" + "313036393000" + "0101" + "3836313338303031333830303000" + "40" + "00" + "00" + "00" + "00" + "01" + "00" + "08" + "00" + "02" + "8def" + "0204" + "0002" + "0007"
	if got := hex.EncodeToString(body); got != want {
		t.Errorf("submit_sm\n got %s\nwant %s", got, want)
	}
	back, err := ParseMessage(body)
	if err != nil || !reflect.DeepEqual(back, m) {
		t.Errorf("it is read back as %+v, %v", back, err)
	}
	query, err := Query{ID: "A1", From: Address{1, 1, "10690"}}.Append(nil)
	if want := "413100" + "0101" + "313036393000"; err != nil || hex.EncodeToString(query) != want {
		t.Errorf("query_sm is %x, %v, want %s", query, err, want)
	}
	answer, err := ParseQueryAnswer([]byte("A1\x00\x00\x02\x00"))
	if err != nil || answer.State != Delivered || answer.ID != "A1" {
		t.Errorf("query_sm_resp is %+v, %v", answer, err)
	}
}

func TestRead(t *testing.T) {
	p := PDU{Command: DeliverSM, Sequence: 9, Body: []byte("abc")}
	stream := bytes.NewReader(append(p.Append(nil), PDU{Command: EnquireLink, Sequence: 10}.Append(nil)...))
	for _, want := range []PDU{p, {Command: EnquireLink, Sequence: 10}} {
		if got, err := Read(stream); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	if _, err := Read(stream); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	whole := p.Append(nil)
	for n := 1; n < len(whole); n++ {
		if _, err := Read(bytes.NewReader(whole[:n])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes of %d: %v", n, len(whole), err)
		}
	}
	for _, size := range []string{"00000000", "0000000f", "ffffffff", "00011001"} {
		head, _ := hex.DecodeString(size + strings.Repeat("00", 12))
		if _, err := Read(bytes.NewReader(head)); !errors.Is(err, ErrFrame) {
			t.Errorf("length %s: %v", size, err)
		}
	}
}

func TestTooLongIsRefused(t *testing.T) {
	long := strings.Repeat("9", 70)
	for name, f := range map[string]func() ([]byte, error){
		"system_id":     func() ([]byte, error) { return Bind{SystemID: long}.Append(nil) },
		"password":      func() ([]byte, error) { return Bind{Password: "123456789"}.Append(nil) },
		"range":         func() ([]byte, error) { return Bind{Range: Address{Number: long}}.Append(nil) },
		"from":          func() ([]byte, error) { return Message{From: Address{Number: long}}.Append(nil) },
		"to":            func() ([]byte, error) { return Message{To: Address{Number: "1\x002"}}.Append(nil) },
		"schedule":      func() ([]byte, error) { return Message{Schedule: long}.Append(nil) },
		"validity":      func() ([]byte, error) { return Message{Validity: long}.Append(nil) },
		"short_message": func() ([]byte, error) { return Message{ShortMessage: make([]byte, 255)}.Append(nil) },
		"a parameter": func() ([]byte, error) {
			return Message{Params: Params{{MessagePayload, make([]byte, 1<<16)}}}.Append(nil)
		},
		"message_id": func() ([]byte, error) { return AppendID(nil, long) },
		"a query":    func() ([]byte, error) { return Query{ID: long}.Append(nil) },
	} {
		if _, err := f(); !errors.Is(err, ErrBody) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIDs(t *testing.T) {
	for body, want := range map[string]string{"": "", "abc\x00": "abc", "abc": "abc", "\x00": "", strings.Repeat("a", 64) + "\x00": strings.Repeat("a", 64)} {
		if got, err := ParseID([]byte(body)); err != nil || got != want {
			t.Errorf("%q is %q, %v", body, got, err)
		}
	}
	if _, err := ParseID([]byte(strings.Repeat("a", 65) + "\x00")); !errors.Is(err, ErrBody) {
		t.Errorf("an id of 65: %v", err)
	}
}

// Whatever comes is refused or says the same when it is written again.
func FuzzMessage(f *testing.F) {
	body, _ := Message{
		From: Address{1, 1, "8613800138000"}, To: Address{0, 1, "1069001"}, ESMClass: ESMReceipt, DataCoding: 8,
		ShortMessage: []byte("id:1 stat:DELIVRD"), Params: Params{{ReceiptedMessageID, []byte("1\x00")}, {MessageState, []byte{2}}},
	}.Append(nil)
	f.Add(body)
	f.Add(body[:20])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := ParseMessage(body)
		if err != nil {
			if !errors.Is(err, ErrBody) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		again, err := m.Append(nil)
		if err != nil || !bytes.Equal(again, body) {
			t.Fatalf("%x is written again as %x, %v", body, again, err)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add(PDU{Command: SubmitSM, Sequence: 1, Body: []byte("x")}.Append(nil))
	f.Add(PDU{Command: QuerySMResp, Sequence: 1, Body: []byte("A1\x00\x00\x02\x00")}.Append(nil))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := bytes.NewReader(stream)
		for {
			p, err := Read(r)
			if err != nil {
				return
			}
			if len(p.Body) > MaxSize {
				t.Fatalf("a body of %d bytes", len(p.Body))
			}
			_, _ = ParseID(p.Body)
			_, _ = ParseQueryAnswer(p.Body)
		}
	})
}
