package smppfake

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

// Delivery is a deliver_sm as a centre may make it.
type Delivery struct {
	From, To   string
	ESM        byte
	Coding     byte
	Data       []byte
	Parameters []byte // as Parameter makes them
}

// Parameter is one optional parameter.
func Parameter(tag uint16, value ...byte) []byte {
	out := binary.BigEndian.AppendUint16(nil, tag)
	out = binary.BigEndian.AppendUint16(out, uint16(len(value)))
	return append(out, value...)
}

// Deliver gives the centre a delivery to make.
func (s *Server) Deliver(d Delivery) {
	body := []byte{0}         // service_type
	body = append(body, 1, 1) // source TON, NPI
	body = append(append(body, d.From...), 0)
	body = append(body, 0, 1)               // destination
	body = append(append(body, d.To...), 0) //
	body = append(body, d.ESM, 0, 0, 0, 0)  // class, protocol, priority, two empty times
	body = append(body, 0, 0, d.Coding, 0)  // registered, replace, coding, default message
	body = append(append(body, byte(len(d.Data))), d.Data...)
	body = append(body, d.Parameters...)
	s.with(func() { s.acts = append(s.acts, &act{body: body}) })
}

// Raw gives the centre a body of deliver_sm to deliver once, whatever it holds.
func (s *Server) Raw(body []byte) { s.with(func() { s.acts = append(s.acts, &act{body: body}) }) }

// UCS2 is a text in UTF-16, most significant byte first.
func UCS2(text string) (out []byte) {
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}

// Says delivers a text of a user, with an id of its own or without.
func (s *Server) Says(from, to, text string, named bool) {
	d := Delivery{From: from, To: to, Coding: 8, Data: UCS2(text)}
	if named {
		s.with(func() { s.ids++ })
		d.Parameters = Parameter(0x001E, fmt.Appendf(nil, "MO%d\x00", s.ids)...)
	}
	if len(d.Data) > 140 {
		d.Parameters = append(d.Parameters, Parameter(0x0424, d.Data...)...)
		d.Data = nil
	}
	s.Deliver(d)
}

// Report reports on message n of Shown: every part gets a receipt.
func (s *Server) Report(n int, state byte, word string) {
	m := s.Shown()[n]
	for _, id := range m.IDs {
		s.Deliver(receipt(m, id, state, word))
	}
}

func receipt(m Shown, id string, state byte, word string) Delivery {
	d := Delivery{From: m.To, To: m.From, ESM: 0x04, Data: fmt.Appendf(nil,
		"id:%s sub:001 dlvrd:001 submit date:2603020900 done date:2603020901 stat:%s err:000 text:x", id, word)}
	if state == 1 {
		d.ESM = 0x20
	}
	d.Parameters = append(Parameter(0x001E, append([]byte(id), 0)...), Parameter(0x0427, state)...)
	return d
}

// submitted is what the fake reads of a submit_sm.
type submitted struct {
	from, to           string
	esm, coding        byte
	registered         byte
	data               []byte
	ref, total, number int
}

func parse(b []byte) (m submitted) {
	_, b = cstring(b) // service_type
	m.from, b = cstring(b[2:])
	m.to, b = cstring(b[2:])
	m.esm = b[0]
	_, b = cstring(b[3:])
	_, b = cstring(b)
	m.registered, m.coding = b[0], b[2]
	n := int(b[4])
	m.data, b = b[5:5+n], b[5+n:]
	m.total = 1
	for len(b) >= 4 {
		tag, size := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		value := b[4 : 4+size]
		b = b[4+size:]
		switch tag {
		case 0x020C:
			m.ref = int(binary.BigEndian.Uint16(value))
		case 0x020E:
			m.total = int(value[0])
		case 0x020F:
			m.number = int(value[0])
		case 0x0424:
			m.data = value
		}
	}
	if m.esm&0x40 != 0 {
		m.ref, m.total, m.number = int(m.data[3]), int(m.data[4]), int(m.data[5])
		m.data = m.data[6:]
	}
	return m
}

func (m submitted) text() string {
	if m.coding == 8 {
		units := make([]uint16, len(m.data)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(m.data[2*i:])
		}
		return string(utf16.Decode(units))
	}
	// The default alphabet, as far as texts of tests use it.
	var out strings.Builder
	extension := map[byte]string{0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€", 0x0A: "\f"}
	main := map[byte]string{0x00: "@", 0x02: "$", 0x11: "_", 0x24: "¤", 0x1F: "É", 0x05: "é", 0x01: "£"}
	for i := 0; i < len(m.data); i++ {
		switch c := m.data[i]; {
		case c == 0x1B && i+1 < len(m.data):
			i++
			out.WriteString(extension[m.data[i]])
		case main[c] != "":
			out.WriteString(main[c])
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

func (s *Server) submit(c *conn, seq uint32, body []byte) bool {
	m := parse(body)
	var f Fault
	var id string
	var early bool
	s.with(func() {
		s.requests++
		if len(s.faults) > 0 {
			f, s.faults = s.faults[0], s.faults[1:]
		}
		if f.Status != 0 {
			return
		}
		s.nextID++
		id = fmt.Sprintf("%08X", s.nextID)
		s.show(m, id)
		early = s.early
	})
	if early {
		s.Deliver(receipt(Shown{From: m.from, To: m.to}, id, 2, "DELIVRD"))
	}
	answer := func() bool { return c.write(0x80000004, f.Status, seq, append([]byte(id), 0)) }
	switch {
	case f.Status != 0:
		return c.write(0x80000004, f.Status, seq, nil)
	case f.Cut:
		return false
	case f.Mute:
		return true
	case f.Late > 0:
		time.AfterFunc(f.Late, func() { answer() })
		return true
	}
	return answer()
}

// show puts a part with the others of its text; the lock is held.
func (s *Server) show(m submitted, id string) {
	key := fmt.Sprint(m.from, m.to, m.ref, m.total)
	p := s.partial[key]
	if p == nil || m.total == 1 {
		p = &Shown{From: m.from, To: m.to}
		s.texts[key] = make([]string, m.total)
	}
	p.Parts++
	p.IDs = append(p.IDs, id)
	p.Coding = append(p.Coding, m.coding)
	p.Registered = append(p.Registered, m.registered)
	s.texts[key][max(0, m.number-1)] = m.text()
	if p.Parts < m.total {
		s.partial[key] = p
		return
	}
	delete(s.partial, key)
	p.Text = strings.Join(s.texts[key], "")
	s.shown = append(s.shown, *p)
}
