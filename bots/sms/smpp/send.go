package smpp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/sms/smpp/pdu"
	"shaoying/bots/wire"
)

// Parts says in how many parts a message goes out.
func (c *Channel) Parts(m bots.Message) int {
	_, parts := split(c.cfg.Alphabet, sms.Signed(c.cfg.Signature, m.Text))
	return len(parts)
}

// Send submits every part of m, one behind another, and returns the id of the
// last. A try that stopped between two parts is taken up where it stopped when
// the same message is sent again.
func (c *Channel) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	template, err := c.check(to, m)
	if err != nil {
		return bots.Receipt{}, err
	}
	s, err := c.session(ctx)
	if err != nil {
		return bots.Receipt{}, err
	}
	text := sms.Signed(c.cfg.Signature, m.Text)
	total := c.Parts(m)
	if c.cfg.Long == LongPayload {
		total = 1
	}
	o := c.sent.begin(to.Chat, m.Key, total)
	pieces := pack(c.cfg.Alphabet, c.cfg.Long, o.ref, text)
	for i := len(o.ids); i < len(pieces); i++ {
		piece := pieces[i]
		piece.From, piece.To, piece.Registered = template.From, template.To, template.Registered
		id, err := c.submit(ctx, s, o, piece)
		if err != nil {
			c.sent.stopped(o, bots.ClassOf(err).Certain())
			return bots.Receipt{}, err
		}
		if id == "" {
			id = fmt.Sprintf("none-%s-%d", m.Key, i) // some centres give ids only to who asks for receipts
		}
		c.sent.answered(o, id)
	}
	return bots.Receipt{ID: o.ids[len(o.ids)-1]}, nil
}

// check refuses what Caps denies and returns the addresses.
func (c *Channel) check(to bots.Address, m bots.Message) (pdu.Message, error) {
	switch {
	case to.Channel != c.cfg.ID:
		return pdu.Message{}, wire.Refuse("the address belongs to another channel")
	case strings.TrimSpace(m.Text) == "":
		return pdu.Message{}, wire.Refuse("a message needs words")
	case !utf8.ValidString(m.Text) || sms.Units(m.Text) > c.Caps().MaxText:
		return pdu.Message{}, wire.Refuse("text is not UTF-8 or longer than %d UTF-16 units", c.Caps().MaxText)
	case len(m.Choices) > 0 || m.Photo != nil:
		return pdu.Message{}, wire.Refuse("a text message has neither buttons nor pictures")
	}
	from, err := c.extensions.Number(m.Extension)
	if err != nil {
		return pdu.Message{}, err
	}
	number, err := c.book.Number(to.Chat)
	if err != nil {
		return pdu.Message{}, err
	}
	digits := strings.TrimPrefix(number, "+")
	if c.cfg.National {
		digits = strings.TrimPrefix(digits, "86")
	}
	out := pdu.Message{
		From: pdu.Address{TON: c.cfg.FromTON, NPI: c.cfg.FromNPI, Number: from},
		To:   pdu.Address{TON: c.cfg.ToTON, NPI: c.cfg.ToNPI, Number: digits},
	}
	if c.cfg.RegisteredDelivery {
		out.Registered = 1
	}
	return out, nil
}

// submit sends one part and returns the id that the centre gave it.
func (c *Channel) submit(ctx context.Context, s *session, o *outgoing, m pdu.Message) (string, error) {
	body, err := m.Append(nil)
	if err != nil {
		return "", wire.Refuse("the message cannot be written: %w", err)
	}
	if err := c.pace.Wait(ctx); err != nil {
		return "", &bots.Error{Class: bots.ClassThrottled, After: c.cfg.Limits.Throttle, Err: errors.New("the account's throughput is used up")}
	}
	answer, err := s.ask(ctx, pdu.SubmitSM, body, func(p pdu.PDU) { c.late(o, p) })
	switch {
	case errors.Is(err, errUnsent):
		return "", &bots.Error{Class: bots.ClassTemporary, Err: fmt.Errorf("submit_sm: %w", err)}
	case err != nil:
		return "", &bots.Error{Class: bots.ClassUnknown, Err: fmt.Errorf("submit_sm: %w", err)}
	case answer.Status != pdu.OK:
		return "", c.failed(answer.Status)
	}
	id, err := pdu.ParseID(answer.Body)
	if err != nil { // it was taken, and nobody knows under which name
		return "", &bots.Error{Class: bots.ClassUnknown, Err: fmt.Errorf("submit_sm_resp: %w", err)}
	}
	return named(id), nil
}

// late reports an answer that came after the send was given up as unknown. Of a
// message of which other parts were never sent it says nothing good.
func (c *Channel) late(o *outgoing, p pdu.PDU) {
	c.mu.Lock()
	lanes := c.lanes
	c.mu.Unlock()
	if lanes == nil {
		return
	}
	report := bots.Report{Key: o.key, State: bots.ReportFailed, Code: p.Status.String()}
	if p.Status == pdu.OK {
		id, err := pdu.ParseID(p.Body)
		id = named(id)
		if err != nil || !c.sent.answered(o, id) {
			return
		}
		report.ID, report.State, report.Code = id, bots.ReportBuffered, ""
	}
	who, err := c.book.Person(o.chat)
	if err != nil {
		return
	}
	lanes.put(o.chat, job{do: func(ctx context.Context) error {
		return lanes.sink(ctx, []bots.Event{lanes.reportEvent(o.chat, who, report.ID, report)})
	}})
}

// classes says what a status of the specification (5.1.3) means for a message;
// one that stands not here, also those of vendors, says that the message is bad.
var classes = map[pdu.Status]bots.Class{
	pdu.Throttled: bots.ClassThrottled,
	pdu.QueueFull: bots.ClassThrottled,

	pdu.SystemError: bots.ClassTemporary,
	pdu.Later:       bots.ClassTemporary, // ESME_RX_T_APPN
	0x04:            bots.ClassTemporary, // ESME_RINVBNDSTS: the bind was lost
	0x45:            bots.ClassTemporary, // ESME_RSUBMITFAIL
	0xFE:            bots.ClassTemporary, // ESME_RDELIVERYFAILURE
	0xFF:            bots.ClassTemporary, // ESME_RUNKNOWNERR

	pdu.InvalidTo: bots.ClassGone,

	0x0A:                bots.ClassLoggedOut, // ESME_RINVSRCADR: our own number
	0x15:                bots.ClassLoggedOut, // ESME_RINVSERTYP
	0x48:                bots.ClassLoggedOut, // ESME_RINVSRCTON
	0x49:                bots.ClassLoggedOut, // ESME_RINVSRCNPI
	0x50:                bots.ClassLoggedOut, // ESME_RINVDSTTON: to_ton is wrong, for everybody
	0x51:                bots.ClassLoggedOut, // ESME_RINVDSTNPI: to_npi
	0x53:                bots.ClassLoggedOut, // ESME_RINVSYSTYP
	pdu.BindFailed:      bots.ClassLoggedOut,
	pdu.InvalidPassword: bots.ClassLoggedOut,
	pdu.InvalidSystemID: bots.ClassLoggedOut,
}

func (c *Channel) failed(status pdu.Status) error {
	class, ok := classes[status]
	if !ok {
		class = bots.ClassRejected
	}
	e := &bots.Error{Class: class, Err: fmt.Errorf("submit_sm: %s", status)}
	if class == bots.ClassThrottled {
		e.After = c.cfg.Limits.Throttle
	}
	return e
}

// Settle asks the centre what became of a message by the id of its last part.
// Without an id there is nothing to ask by.
func (c *Channel) Settle(ctx context.Context, to bots.Address, key string, r bots.Receipt, _ time.Time) (bots.Report, error) {
	if r.ID == "" || to.Channel != c.cfg.ID {
		return bots.Report{}, bots.ErrNoReport
	}
	s, err := c.session(ctx)
	if err != nil {
		return bots.Report{}, err
	}
	body, err := pdu.Query{ID: r.ID, From: pdu.Address{TON: c.cfg.FromTON, NPI: c.cfg.FromNPI, Number: c.cfg.From}}.Append(nil)
	if err != nil {
		return bots.Report{}, fmt.Errorf("query_sm: %w", err)
	}
	p, err := s.ask(ctx, pdu.QuerySM, body, nil)
	if err != nil {
		return bots.Report{}, fmt.Errorf("query_sm: %w", err)
	}
	if p.Status != pdu.OK {
		return bots.Report{}, fmt.Errorf("query_sm: %s: %w", p.Status, bots.ErrNoReport)
	}
	a, err := pdu.ParseQueryAnswer(p.Body)
	if err != nil {
		return bots.Report{}, fmt.Errorf("query_sm_resp: %w", err)
	}
	state, ok := reportStates[a.State]
	if !ok || a.State == pdu.Unknown {
		return bots.Report{}, bots.ErrNoReport
	}
	return bots.Report{ID: r.ID, Key: key, State: state, Code: a.State.String()}, nil
}
