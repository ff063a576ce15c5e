package pdu

import (
	"bytes"
	"fmt"
)

// Bind is the body of bind_transceiver and bind_transmitter (4.1).
type Bind struct {
	SystemID, Password, SystemType string
	// Version is interface_version: 0x34.
	Version byte
	// Range is the addresses that the account serves, mostly empty.
	Range Address
}

// Append adds the body to b.
func (m Bind) Append(b []byte) ([]byte, error) {
	b, err := appendText(b, "system_id", m.SystemID, 16)
	if err == nil {
		b, err = appendText(b, "the password", m.Password, 9)
	}
	if err == nil {
		b, err = appendText(b, "system_type", m.SystemType, 13)
	}
	if err != nil {
		return nil, err
	}
	b = append(b, m.Version, m.Range.TON, m.Range.NPI)
	return appendText(b, "address_range", m.Range.Number, 41)
}

// Message is the body of submit_sm (4.4.1) and of deliver_sm (4.6.1): they have
// the same fields.
type Message struct {
	ServiceType  string
	From, To     Address
	ESMClass     byte
	ProtocolID   byte
	Priority     byte
	Schedule     string
	Validity     string
	Registered   byte
	Replace      byte
	DataCoding   byte
	DefaultID    byte
	ShortMessage []byte
	Params       Params
}

// Bits of esm_class (5.2.12).
const (
	// ESMTypeMask holds the type of a deliver_sm; 0 is a message of a user.
	ESMTypeMask = 0x3C
	ESMReceipt  = 0x04 // a delivery receipt of the centre
	ESMAck      = 0x08 // a delivery acknowledgement of the user's device
	ESMManual   = 0x10 // a manual acknowledgement of the user
	ESMBuffered = 0x20 // an intermediate notification
	// ESMUDHI: the message begins with a user data header.
	ESMUDHI = 0x40
)

// MaxShort is the longest short_message in bytes (5.2.21).
const MaxShort = 254

// Append adds the body to b.
func (m Message) Append(b []byte) ([]byte, error) {
	if len(m.ShortMessage) > MaxShort {
		return nil, fmt.Errorf("%w: short_message of %d bytes", ErrBody, len(m.ShortMessage))
	}
	b, err := appendText(b, "service_type", m.ServiceType, 6)
	if err == nil {
		b, err = m.From.append(b)
	}
	if err == nil {
		b, err = m.To.append(b)
	}
	if err != nil {
		return nil, err
	}
	b = append(b, m.ESMClass, m.ProtocolID, m.Priority)
	if b, err = appendText(b, "schedule_delivery_time", m.Schedule, 17); err != nil {
		return nil, err
	}
	if b, err = appendText(b, "validity_period", m.Validity, 17); err != nil {
		return nil, err
	}
	b = append(b, m.Registered, m.Replace, m.DataCoding, m.DefaultID, byte(len(m.ShortMessage)))
	return m.Params.append(append(b, m.ShortMessage...))
}

// ParseMessage reads the body of submit_sm or deliver_sm.
func ParseMessage(body []byte) (Message, error) {
	r := &reader{rest: body}
	m := Message{ServiceType: r.text(6), From: r.address(), To: r.address()}
	m.ESMClass, m.ProtocolID, m.Priority = r.octet(), r.octet(), r.octet()
	m.Schedule, m.Validity = r.text(17), r.text(17)
	m.Registered, m.Replace, m.DataCoding, m.DefaultID = r.octet(), r.octet(), r.octet(), r.octet()
	if size := int(r.octet()); size > MaxShort {
		r.fail("short_message of %d bytes", size)
	} else {
		m.ShortMessage = r.octets(size)
	}
	m.Params = r.params()
	if r.err != nil {
		return Message{}, r.err
	}
	return m, nil
}

// idSize is the longest message_id with its NUL (5.2.23).
const idSize = 65

// AppendID adds the body of submit_sm_resp or deliver_sm_resp to b.
func AppendID(b []byte, id string) ([]byte, error) { return appendText(b, "message_id", id, idSize) }

// ParseID reads the body of submit_sm_resp. Centres leave it out where the
// status is not 0, and some write the id without its NUL.
func ParseID(body []byte) (string, error) {
	if len(body) == 0 {
		return "", nil
	}
	r := &reader{rest: body}
	if len(body) < idSize && bytes.IndexByte(body, 0) < 0 {
		return string(body), nil
	}
	id := r.text(idSize)
	return id, r.err
}

// Query is the body of query_sm (4.8.1): From is the source of the submit_sm.
type Query struct {
	ID   string
	From Address
}

// Append adds the body to b.
func (m Query) Append(b []byte) ([]byte, error) {
	b, err := appendText(b, "message_id", m.ID, idSize)
	if err != nil {
		return nil, err
	}
	return m.From.append(b)
}

// QueryAnswer is the body of query_sm_resp (4.8.2).
type QueryAnswer struct {
	ID, FinalDate string
	State         State
	ErrorCode     byte
}

// ParseQueryAnswer reads the body of query_sm_resp.
func ParseQueryAnswer(body []byte) (QueryAnswer, error) {
	r := &reader{rest: body}
	m := QueryAnswer{ID: r.text(idSize), FinalDate: r.text(17), State: State(r.octet()), ErrorCode: r.octet()}
	if r.err != nil {
		return QueryAnswer{}, r.err
	}
	return m, nil
}

// State is a message_state (5.2.28).
type State byte

// The states of a message.
const (
	Enroute       State = 1
	Delivered     State = 2
	Expired       State = 3
	Deleted       State = 4
	Undeliverable State = 5
	Accepted      State = 6
	Unknown       State = 7
	Rejected      State = 8
)

// states are the words that receipts use (appendix B).
var states = map[State]string{
	Enroute: "ENROUTE", Delivered: "DELIVRD", Expired: "EXPIRED", Deleted: "DELETED",
	Undeliverable: "UNDELIV", Accepted: "ACCEPTD", Unknown: "UNKNOWN", Rejected: "REJECTD",
}

// String is the word of appendix B.
func (s State) String() string {
	if word, ok := states[s]; ok {
		return word
	}
	return fmt.Sprintf("STATE%d", byte(s))
}

// StateOf is the state of a word of appendix B.
func StateOf(word string) (State, bool) {
	for s, w := range states {
		if w == word {
			return s, true
		}
	}
	return 0, false
}
