package smpp

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/bots/sms/smpp/pdu"
)

// arrival is a deliver_sm on its way to the sink.
type arrival struct {
	session *session
	pdu     pdu.PDU
	message pdu.Message
	at      time.Time // wall
	// content names sender, receiver and words where nothing else tells a
	// repetition; empty where something does.
	content string
}

// understand says in whose lane an arrival goes and what is done there; nil for
// what nobody could have said.
func (l *lanes) understand(a *arrival) (bots.ChatID, func(context.Context) error) {
	if isReceipt(a.message) {
		return l.understandReceipt(a)
	}
	chat, who, err := l.book.Sender(a.message.From.Number)
	if err != nil {
		l.log.Warn("a text from no phone number is passed over") // advertising, bounces
		return "", nil
	}
	ev := bots.Event{
		Channel: l.cfg.ID, Chat: chat, From: who, Extension: l.extensions.Code(a.message.To.Number),
	}
	p, j := unpack(a.message)
	if j.total > 1 {
		return chat, func(ctx context.Context) error { return l.takePiece(ctx, ev, a.message.To.Number, p, j) }
	}
	l.fill(&ev, []*piece{&p})
	id := a.message.Params.Text(pdu.ReceiptedMessageID)
	if ref, ok := a.message.Params.Number(pdu.UserMessageReference); id == "" && ok && l.cfg.UserMessageReference {
		id = strconv.Itoa(ref) + "\x00" + string(p.Data)
	}
	if id != "" {
		ev.Key = "m:" + l.digest("smpp.id", string(chat), id)
		return chat, func(ctx context.Context) error { return l.sink(ctx, []bots.Event{ev}) }
	}
	a.content = "c:" + l.digest("smpp.content", string(chat), a.message.To.Number, strconv.Itoa(int(p.Coding)), string(p.Data)) + ":"
	ev.Key = a.content + a.session.nonce + ":" + strconv.FormatUint(uint64(a.pdu.Sequence), 10)
	return chat, func(ctx context.Context) error {
		if l.doubtful(a) {
			ev.Repeat = a.content
		}
		return l.sink(ctx, []bots.Event{ev})
	}
}

// doubtful reports whether an arrival may be a repetition: early in a session,
// because the one before broke off, or because an earlier copy was not answered
// well. A text that the centre knows was taken in this session is a new one.
func (l *lanes) doubtful(a *arrival) bool {
	if l.doubts.suspected(a.content, l.clock.Wall()) {
		return true
	}
	a.session.mu.Lock()
	defer a.session.mu.Unlock()
	return a.at.Sub(a.session.began) < l.cfg.Limits.Doubtful && !a.session.taken[a.content]
}

// digest names values without telling them: a text may be one of ten words.
func (l *lanes) digest(kind string, values ...string) string {
	return hex.EncodeToString(l.book.Keys.Index(kind, strings.Join(values, "\x00"))[:16])
}

// fill puts words into an event, or that there are none to be read.
func (l *lanes) fill(ev *bots.Event, pieces []*piece) {
	text, ok := join(l.cfg.Alphabet, l.cfg.Limits.MissingPart, pieces)
	if !ok || strings.TrimSpace(text) == "" {
		ev.Kind = bots.KindOther
		return
	}
	if len(text) > bots.MaxWord { // no phone writes that; a payload may hold it
		text = strings.ToValidUTF8(text[:bots.MaxWord], "")
	}
	ev.Kind, ev.Text = bots.KindText, text
}

// kept is how a piece is kept with the others.
type kept struct {
	piece
	Extension string `json:"extension,omitempty"`
}

// takePiece keeps a piece of a long text, and hands the text over when it was
// the last one.
func (l *lanes) takePiece(ctx context.Context, ev bots.Event, to string, p piece, j joint) error {
	body, err := json.Marshal(kept{p, ev.Extension})
	if err != nil {
		return fmt.Errorf("pack a piece: %w", err)
	}
	part := Part{
		Group: l.digest("smpp.group", string(ev.Chat), to, strconv.Itoa(j.ref), strconv.Itoa(j.total)),
		Chat:  ev.Chat, Number: j.number, Total: j.total, Body: body,
	}
	g, err := l.parts.Put(ctx, part)
	if err != nil {
		return err
	}
	if !holds(g, part) {
		// The reference has come round: this is a piece of another text.
		if err := l.finish(ctx, g); err != nil {
			return err
		}
		if err := l.parts.Drop(ctx, g.ID); err != nil {
			return err
		}
		if g, err = l.parts.Put(ctx, part); err != nil {
			return err
		}
	}
	if len(g.Parts) < j.total {
		return nil
	}
	return l.finish(ctx, g)
}

// holds reports whether a piece is in its group as it is.
func holds(g Group, p Part) bool {
	for _, one := range g.Parts {
		if one.Number == p.Number {
			return one.Total == p.Total && bytes.Equal(one.Body, p.Body)
		}
	}
	return false
}

// finish hands over what is there of a long text, once. A kill between the two
// steps hands it over again under the same key.
func (l *lanes) finish(ctx context.Context, g Group) error {
	if g.Taken || len(g.Parts) == 0 {
		return nil
	}
	who, err := l.book.Person(g.Chat)
	if err != nil {
		return err
	}
	ev := bots.Event{Channel: l.cfg.ID, Chat: g.Chat, From: who}
	ev.Key = fmt.Sprintf("l:%s:%d:%d", g.ID, g.Started.UnixMicro(), len(g.Parts))
	pieces := make([]*piece, g.Parts[0].Total)
	for _, p := range g.Parts {
		var k kept
		if err := json.Unmarshal(p.Body, &k); err != nil || p.Number < 1 || p.Number > len(pieces) {
			return fmt.Errorf("a kept piece cannot be read: %w", err)
		}
		pieces[p.Number-1], ev.Extension = &k.piece, k.Extension
	}
	l.fill(&ev, pieces)
	if err := l.sink(ctx, []bots.Event{ev}); err != nil {
		return err
	}
	return l.parts.Taken(ctx, g.ID)
}

// giveUp ends the waiting for the pieces of a text.
func (l *lanes) giveUp(ctx context.Context, id string) error {
	g, err := l.parts.Group(ctx, id)
	if err != nil {
		return err
	}
	if err := l.finish(ctx, g); err != nil {
		return err
	}
	return l.parts.Drop(ctx, id)
}

// understandReceipt is understand for what is about a message of ours.
func (l *lanes) understandReceipt(a *arrival) (bots.ChatID, func(context.Context) error) {
	r, ok := readReceipt(l.cfg.Alphabet, a.message)
	state, known := reportStates[r.state]
	if !ok || !known {
		l.log.Warn("a receipt cannot be read and is passed over", "state", r.state.String())
		return "", nil
	}
	chat, who, err := l.book.Sender(a.message.From.Number)
	if err != nil { // some centres turn the addresses round
		chat, who, err = l.book.Sender(a.message.To.Number)
	}
	if err != nil {
		l.log.Warn("a receipt for no phone number is passed over")
		return "", nil
	}
	return chat, func(ctx context.Context) error {
		report, ok := l.sent.report(chat, r.id, state)
		if !ok {
			return nil
		}
		report.Code = r.code
		return l.sink(ctx, []bots.Event{l.reportEvent(chat, who, r.id, report)})
	}
}

// reportEvent is what the centre said of one part.
func (l *lanes) reportEvent(chat bots.ChatID, who bots.Identity, part string, r bots.Report) bots.Event {
	return bots.Event{
		Key:     "r:" + l.digest("smpp.report", part, r.Key, string(r.State), r.Code),
		Channel: l.cfg.ID, Chat: chat, From: who, Kind: bots.KindReport, Report: &r,
	}
}

// doubts are contents whose last copy was not answered well: not taken, answered
// too late, or into a connection that broke.
type doubts struct {
	mu    sync.Mutex
	since map[string]time.Time
	sweep int // at how many the old ones are swept out
}

func (d *doubts) suspect(content string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.since) >= d.sweep {
		for other, at := range d.since {
			if now.Sub(at) > bots.RepeatWithin {
				delete(d.since, other)
			}
		}
		d.sweep = 2*len(d.since) + 1000
	}
	d.since[content] = now
}

func (d *doubts) suspected(content string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, ok := d.since[content]
	return ok && now.Sub(at) <= bots.RepeatWithin
}

func (d *doubts) clear(content string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.since, content)
}
