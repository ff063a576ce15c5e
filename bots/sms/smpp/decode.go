package smpp

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/simplifiedchinese"

	"shaoying/bots/sms"
	"shaoying/bots/sms/smpp/pdu"
)

// piece is what one deliver_sm brought of a user's text. Bytes stay as they
// came until all pieces are there: some phones cut inside a surrogate pair.
type piece struct {
	Coding byte   `json:"coding"`
	Data   []byte `json:"data"`
}

// joint says which piece of how many this is.
type joint struct {
	ref, total, number int
}

// The data_coding values that hold words (5.2.19, and 3GPP TS 23.038 section 4
// above 0x10).
const (
	codingDefault = 0x00
	codingASCII   = 0x01
	codingLatin1  = 0x03
	codingUCS2    = 0x08
	// codingGBK is reserved by the specification; centres in the mainland use
	// the value that CMPP gives to GB 18030.
	codingGBK = 0x0F
)

// unpack takes the text and its place among its pieces out of a deliver_sm:
// from short_message or message_payload, by user data header or by sar_
// parameters. A total of 0 or 1 is a text of its own.
func unpack(m pdu.Message) (piece, joint) {
	data := m.ShortMessage
	if payload, ok := m.Params.Get(pdu.MessagePayload); ok && len(data) == 0 {
		data = payload
	}
	p, j := piece{Coding: m.DataCoding, Data: data}, joint{}
	if m.ESMClass&pdu.ESMUDHI != 0 {
		j, p.Data = header(data)
	}
	if j.total > 1 {
		return p, j
	}
	ref, hasRef := m.Params.Number(pdu.SarRefNum)
	total, hasTotal := m.Params.Number(pdu.SarTotalSegments)
	number, hasNumber := m.Params.Number(pdu.SarSegmentSeqnum)
	if hasRef && hasTotal && hasNumber && total > 1 && total <= 0xff && number >= 1 && number <= total {
		return p, joint{ref: ref, total: total, number: number}
	}
	return p, joint{}
}

// The information elements that join texts (3GPP TS 23.040, 9.2.3.24.1 and .8).
const (
	joined8, joined16 = 0x00, 0x08
)

// header takes the user data header off. One that is longer than the data is
// none, and one whose numbers cannot be joins nothing.
func header(data []byte) (joint, []byte) {
	if len(data) == 0 || int(data[0]) >= len(data) {
		return joint{}, data
	}
	elements, rest := data[1:1+int(data[0])], data[1+int(data[0]):]
	var j joint
	for len(elements) >= 2 && int(elements[1]) <= len(elements)-2 {
		id, value := elements[0], elements[2:2+int(elements[1])]
		elements = elements[2+len(value):]
		var found joint
		switch {
		case id == joined8 && len(value) == 3:
			found = joint{int(value[0]), int(value[1]), int(value[2])}
		case id == joined16 && len(value) == 4:
			found = joint{int(binary.BigEndian.Uint16(value)), int(value[2]), int(value[3])}
		}
		if found.total > 1 && found.number >= 1 && found.number <= found.total {
			j = found
		}
	}
	return j, rest
}

// words decodes bytes of one data_coding; ok is false for what is no text.
// What cannot be read in it becomes U+FFFD, NULs are left out.
func words(alphabet string, coding byte, data []byte) (text string, ok bool) {
	switch coding {
	case codingDefault:
		text = inAlphabet(alphabet, data)
	case codingASCII, codingLatin1:
		text = latin1(data)
	case codingUCS2:
		text = ucs2(data)
	case codingGBK:
		plain, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
		if err != nil {
			return "", false
		}
		text = string(plain)
	default:
		return classed(alphabet, coding, data)
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", ""), true
}

// classed reads the values that 3GPP TS 23.038 section 4 defines: alphabet in
// bits 3 and 2 below 0x40, in bit 2 from 0xF0.
func classed(alphabet string, coding byte, data []byte) (string, bool) {
	switch {
	case coding >= 0x10 && coding < 0x40 && coding&0x0C == 0x08:
		return words(alphabet, codingUCS2, data)
	case coding >= 0x10 && coding < 0x40 && coding&0x0C == 0x00, coding >= 0xF0 && coding&0x04 == 0:
		return words(alphabet, codingDefault, data)
	}
	return "", false
}

func inAlphabet(alphabet string, data []byte) string {
	if alphabet == AlphabetGSM7 {
		return sms.FromSeptets(data)
	}
	return latin1(data)
}

func latin1(data []byte) string {
	runes := make([]rune, len(data))
	for i, b := range data {
		runes[i] = rune(b)
	}
	return string(runes)
}

func ucs2(data []byte) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}

// join reads pieces in their order; nil stands for one that never came, in whose
// place the text says so. ok is false where none of them is text.
func join(alphabet, missing string, pieces []*piece) (text string, ok bool) {
	var out strings.Builder
	for i := 0; i < len(pieces); {
		if pieces[i] == nil {
			out.WriteString(missing)
			i++
			continue
		}
		coding := pieces[i].Coding
		var data []byte
		for ; i < len(pieces) && pieces[i] != nil && pieces[i].Coding == coding; i++ {
			data = append(data, pieces[i].Data...)
		}
		if read, readable := words(alphabet, coding, data); readable {
			out.WriteString(read)
			ok = true
		}
	}
	return out.String(), ok
}
