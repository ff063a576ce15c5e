// Package pdu writes and reads the ten PDUs of SMPP 3.4 that an account needs:
// bind, submit_sm, deliver_sm, query_sm, enquire_link, unbind, their responses
// and generic_nack. Section numbers are those of "Short Message Peer to Peer
// Protocol Specification v3.4", issue 1.2.
//
// A PDU is a header of 16 bytes and a body. [Read] takes one off a connection
// and believes its length only between 16 bytes and [MaxSize]; a length outside
// means that the stream cannot be trusted any further ([ErrFrame]). A body that
// cannot be read ([ErrBody]) spoils that PDU alone. Nothing here waits, keeps
// state or allocates more than a PDU's own length.
package pdu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Command is a command_id (5.1.2.1).
type Command uint32

// The commands that are spoken. A response is its request with the top bit set.
const (
	GenericNack         Command = 0x80000000
	BindTransmitter     Command = 0x00000002
	QuerySM             Command = 0x00000003
	QuerySMResp         Command = 0x80000003
	SubmitSM            Command = 0x00000004
	SubmitSMResp        Command = 0x80000004
	DeliverSM           Command = 0x00000005
	DeliverSMResp       Command = 0x80000005
	Unbind              Command = 0x00000006
	UnbindResp          Command = 0x80000006
	BindTransceiver     Command = 0x00000009
	BindTransceiverResp Command = 0x80000009
	EnquireLink         Command = 0x00000015
	EnquireLinkResp     Command = 0x80000015
)

const response Command = 0x80000000

// Response is the command that answers c.
func (c Command) Response() Command { return c | response }

// IsResponse reports whether c answers something; generic_nack does.
func (c Command) IsResponse() bool { return c&response != 0 }

const (
	// HeaderSize is the length of a PDU without a body.
	HeaderSize = 16
	// MaxSize is the longest PDU that is read or written: message_payload holds
	// at most 65,535 bytes (5.3.2.32), all else together some hundreds.
	MaxSize = 68 << 10
)

var (
	// ErrFrame: the length of a PDU is impossible. The connection must go.
	ErrFrame = errors.New("smpp: impossible PDU length")
	// ErrBody: the body of a PDU does not follow the specification.
	ErrBody = errors.New("smpp: malformed PDU body")
)

// PDU is a header with the body that it announces.
type PDU struct {
	Command  Command
	Status   Status
	Sequence uint32
	Body     []byte
}

// Append adds the bytes of p to b.
func (p PDU) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(HeaderSize+len(p.Body)))
	b = binary.BigEndian.AppendUint32(b, uint32(p.Command))
	b = binary.BigEndian.AppendUint32(b, uint32(p.Status))
	b = binary.BigEndian.AppendUint32(b, p.Sequence)
	return append(b, p.Body...)
}

// Read takes one PDU off r. io.EOF comes only between PDUs; an end inside one
// is io.ErrUnexpectedEOF.
func Read(r io.Reader) (PDU, error) {
	var head [HeaderSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return PDU{}, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size < HeaderSize || size > MaxSize {
		return PDU{}, fmt.Errorf("%w: %d bytes", ErrFrame, size)
	}
	p := PDU{
		Command:  Command(binary.BigEndian.Uint32(head[4:])),
		Status:   Status(binary.BigEndian.Uint32(head[8:])),
		Sequence: binary.BigEndian.Uint32(head[12:]),
	}
	if size == HeaderSize {
		return p, nil
	}
	p.Body = make([]byte, size-HeaderSize)
	if _, err := io.ReadFull(r, p.Body); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return PDU{}, err
	}
	return p, nil
}
