package smpp

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"shaoying/bots"
	"shaoying/bots/sms/smpp/pdu"
	"shaoying/bots/wire"
)

// receipt is what a deliver_sm says of a message of ours.
type receipt struct {
	id    string
	state pdu.State
	code  string // "UNDELIV 001"
}

// readReceipt reads the parameters of 5.3.2.12 and 5.3.2.35 first and what they
// lack from the text of appendix B. ok is false where there is no id or no
// state.
func readReceipt(alphabet string, m pdu.Message) (r receipt, ok bool) {
	p, _ := unpack(m)
	text, _ := words(alphabet, p.Coding, p.Data)
	fields := receiptFields(text)
	r.id = m.Params.Text(pdu.ReceiptedMessageID)
	if r.id == "" {
		r.id = fields["id"]
	}
	state, known := m.Params.Number(pdu.MessageState)
	if known {
		r.state = pdu.State(state)
	} else if r.state, known = pdu.StateOf(strings.ToUpper(fields["stat"])); !known {
		return receipt{}, false
	}
	r.code = r.state.String()
	if network, has := m.Params.Get(pdu.NetworkErrorCode); has && len(network) == 3 {
		r.code += fmt.Sprintf(" %03d", binary.BigEndian.Uint16(network[1:]))
	} else if err := fields["err"]; err != "" && len(err) <= 8 {
		r.code += " " + err
	}
	r.id, r.code = named(r.id), wire.Plain(r.code)
	return r, r.id != "" && len(r.id) <= 2*maxID
}

// maxID is the longest message_id (5.2.23).
const maxID = 64

// named is an id of the centre as it may stand in a row: in hexadecimal where it
// is not what the specification says, plain ASCII.
func named(id string) string {
	if strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' }) {
		return hex.EncodeToString([]byte(id))
	}
	return id
}

// receiptFields reads "id:… sub:… stat:… err:… text:…". The text is what we
// sent and is not looked at.
func receiptFields(text string) map[string]string {
	out := map[string]string{}
	for word := range strings.FieldsSeq(text) {
		name, value, ok := strings.Cut(word, ":")
		name = strings.ToLower(name)
		if name == "text" {
			break
		}
		if ok && out[name] == "" {
			out[name] = value
		}
	}
	return out
}

// reportStates are the meanings of 5.2.28. ACCEPTD says that somebody took it
// on the subscriber's behalf, UNKNOWN that nobody knows: neither is an end.
var reportStates = map[pdu.State]bots.ReportState{
	pdu.Enroute: bots.ReportBuffered, pdu.Accepted: bots.ReportBuffered, pdu.Unknown: bots.ReportBuffered,
	pdu.Delivered: bots.ReportDelivered,
	pdu.Expired:   bots.ReportFailed, pdu.Deleted: bots.ReportFailed, pdu.Undeliverable: bots.ReportFailed, pdu.Rejected: bots.ReportFailed,
}

// isReceipt reports whether a deliver_sm is about a message of ours: its type
// says so, or, from centres that leave the type out, both parameters of a
// receipt are there.
func isReceipt(m pdu.Message) bool {
	if m.ESMClass&pdu.ESMTypeMask != 0 {
		return true
	}
	_, state := m.Params.Get(pdu.MessageState)
	return state && m.Params.Text(pdu.ReceiptedMessageID) != ""
}
