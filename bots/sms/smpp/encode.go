package smpp

import (
	"encoding/binary"
	"unicode/utf16"

	"shaoying/bots/sms"
	"shaoying/bots/sms/smpp/pdu"
)

// The alphabets that data_coding 0 may mean at a centre.
const (
	AlphabetGSM7   = "gsm7"
	AlphabetLatin1 = "latin1"
	AlphabetASCII  = "ascii"
)

// The ways in which the pieces of a long text are told apart.
const (
	LongUDH     = "udh"     // a user data header in each
	LongSAR     = "sar"     // sar_ parameters in each; the centre makes the headers
	LongPayload = "payload" // one message_payload; the centre cuts it
)

// split returns how a text goes out and in which parts. What the centre's
// default alphabet cannot say goes out in UCS-2.
func split(alphabet, text string) (sms.Encoding, []string) {
	if sms.Of(text) == sms.GSM7 && speakable(alphabet, text) {
		return sms.GSM7, sms.GSM7.Split(text)
	}
	return sms.UCS2, sms.UCS2.Split(text)
}

func speakable(alphabet, text string) bool {
	limit := map[string]rune{AlphabetASCII: 0x7f, AlphabetLatin1: 0xff, AlphabetGSM7: 0xffff}[alphabet]
	for _, r := range text {
		if r > limit {
			return false
		}
	}
	return true
}

// encode writes a text in an encoding that split chose.
func encode(alphabet string, enc sms.Encoding, text string) (coding byte, data []byte) {
	switch {
	case enc == sms.UCS2:
		for _, unit := range utf16.Encode([]rune(text)) {
			data = binary.BigEndian.AppendUint16(data, unit)
		}
		return codingUCS2, data
	case alphabet == AlphabetGSM7:
		return codingDefault, sms.Septets(text)
	}
	for _, r := range text {
		data = append(data, byte(r))
	}
	return codingDefault, data
}

// pack returns the messages in which a text goes out, without addresses. ref
// tells the pieces of a long text from those of another to the same number.
func pack(alphabet, long string, ref byte, text string) []pdu.Message {
	enc, parts := split(alphabet, text)
	if len(parts) > 1 && long == LongPayload {
		coding, data := encode(alphabet, enc, text)
		return []pdu.Message{{DataCoding: coding, Params: pdu.Params{{Tag: pdu.MessagePayload, Value: data}}}}
	}
	out := make([]pdu.Message, len(parts))
	for i, part := range parts {
		coding, data := encode(alphabet, enc, part)
		m := pdu.Message{DataCoding: coding, ShortMessage: data}
		total, number := byte(len(parts)), byte(i+1)
		switch {
		case total == 1:
		case long == LongSAR:
			m.Params = pdu.Params{
				{Tag: pdu.SarRefNum, Value: []byte{0, ref}},
				{Tag: pdu.SarTotalSegments, Value: []byte{total}},
				{Tag: pdu.SarSegmentSeqnum, Value: []byte{number}},
			}
		default:
			m.ESMClass = pdu.ESMUDHI
			m.ShortMessage = append([]byte{5, joined8, 3, ref, total, number}, data...)
		}
		out[i] = m
	}
	return out
}
