package pdu

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// reader takes fields off a body. After the first that is not there every other
// is zero, and err says so.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrBody, fmt.Sprintf(format, args...))
		r.rest = nil
	}
}

func (r *reader) octet() byte {
	if len(r.rest) == 0 {
		r.fail("it ends early")
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) octets(n int) []byte {
	if len(r.rest) < n {
		r.fail("it ends early")
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// text takes a C-octet string of at most size bytes with its NUL.
func (r *reader) text(size int) string {
	end := bytes.IndexByte(r.rest, 0)
	switch {
	case len(r.rest) == 0 && r.err == nil:
		r.fail("it ends early")
		return ""
	case end < 0 || end >= size:
		r.fail("a string is longer than %d", size-1)
		return ""
	}
	s := string(r.rest[:end])
	r.rest = r.rest[end+1:]
	return s
}

// appendText adds a C-octet string of at most size bytes with its NUL.
func appendText(b []byte, name, s string, size int) ([]byte, error) {
	if len(s) >= size || bytes.IndexByte([]byte(s), 0) >= 0 {
		return nil, fmt.Errorf("%w: %s is longer than %d or holds a NUL", ErrBody, name, size-1)
	}
	return append(append(b, s...), 0), nil
}

// Address is a number with its type and plan (5.2.5, 5.2.6).
type Address struct {
	TON, NPI byte
	Number   string
}

const addressSize = 21

func (r *reader) address() Address {
	return Address{TON: r.octet(), NPI: r.octet(), Number: r.text(addressSize)}
}

func (a Address) append(b []byte) ([]byte, error) {
	return appendText(append(b, a.TON, a.NPI), "an address", a.Number, addressSize)
}

// Tag names an optional parameter (5.3.2).
type Tag uint16

// The optional parameters that mean something here.
const (
	ReceiptedMessageID   Tag = 0x001E
	UserMessageReference Tag = 0x0204
	SarRefNum            Tag = 0x020C
	SarTotalSegments     Tag = 0x020E
	SarSegmentSeqnum     Tag = 0x020F
	NetworkErrorCode     Tag = 0x0423
	MessagePayload       Tag = 0x0424
	MessageState         Tag = 0x0427
)

// Param is one optional parameter.
type Param struct {
	Tag   Tag
	Value []byte
}

// Params are the optional parameters of a PDU in their order.
type Params []Param

// Get returns the first parameter of a tag.
func (p Params) Get(tag Tag) ([]byte, bool) {
	for _, one := range p {
		if one.Tag == tag {
			return one.Value, true
		}
	}
	return nil, false
}

// Number returns a parameter of one or two bytes.
func (p Params) Number(tag Tag) (int, bool) {
	v, ok := p.Get(tag)
	switch {
	case ok && len(v) == 1:
		return int(v[0]), true
	case ok && len(v) == 2:
		return int(binary.BigEndian.Uint16(v)), true
	}
	return 0, false
}

// Text returns a parameter that is a C-octet string. Some centres leave its NUL
// out.
func (p Params) Text(tag Tag) string {
	v, _ := p.Get(tag)
	if end := bytes.IndexByte(v, 0); end >= 0 {
		v = v[:end]
	}
	return string(v)
}

func (r *reader) params() (out Params) {
	for len(r.rest) > 0 {
		head := r.octets(4)
		if r.err != nil {
			return nil
		}
		tag, size := binary.BigEndian.Uint16(head), binary.BigEndian.Uint16(head[2:])
		value := r.octets(int(size))
		if r.err != nil {
			return nil
		}
		out = append(out, Param{Tag(tag), value})
	}
	return out
}

func (p Params) append(b []byte) ([]byte, error) {
	for _, one := range p {
		if len(one.Value) > 0xffff {
			return nil, fmt.Errorf("%w: parameter %#x of %d bytes", ErrBody, uint16(one.Tag), len(one.Value))
		}
		b = binary.BigEndian.AppendUint16(b, uint16(one.Tag))
		b = binary.BigEndian.AppendUint16(b, uint16(len(one.Value)))
		b = append(b, one.Value...)
	}
	return b, nil
}
