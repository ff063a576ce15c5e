package flowstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/flows/words"
)

// Run plays every conversation of a transcript. The error of the first line
// that came out differently shows what was expected and what happened; errors
// of several conversations are joined.
func Run(defs []*flows.Definition, lexicon *words.Lexicon, t *Transcript) error {
	var errs []error
	for i := range t.talks {
		p := player{
			t: t, talk: &t.talks[i], defs: defs,
			env:  flows.Env{Lang: flows.BaseLang, Words: lexicon, Caps: flows.Caps{Photo: true, Place: true, Confirm: true}},
			flow: t.Flow,
		}
		if err := p.play(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// player plays one conversation.
type player struct {
	t     *Transcript
	talk  *talk
	defs  []*flows.Definition
	env   flows.Env
	flow  string
	state *flows.State // nil when no dialogue is open

	at     int           // the next line
	named  bool          // @ flow chose the dialogue
	last   flows.Say     // the open question
	waited time.Duration // since it was said
}

func (p *player) play() error {
	for p.at < len(p.talk.lines) {
		l := p.talk.lines[p.at]
		p.at++
		var err error
		if l.kind != lineInput {
			err = p.surplus(l)
		} else {
			err = p.input(l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// surplus explains a line that expects something when nothing more happened.
func (p *player) surplus(l line) error {
	if l.kind == lineEnd {
		if p.state == nil {
			return nil
		}
		return p.differs(l.number, "the dialogue goes on")
	}
	return p.differs(l.number, "nothing more happened")
}

// input plays one line of the resident.
func (p *player) input(l line) error {
	switch l.verb {
	case "caps":
		return p.caps(l)
	case "lang":
		p.env.Lang = l.text
		return nil
	case "flow":
		p.flow, p.named = l.text, true
		return nil
	case "start":
		vars := map[string]any{}
		for _, a := range l.effect.args {
			if err := assign(vars, a.name, a.value); err != nil {
				return p.fail(l.number, "%v", err)
			}
		}
		return p.begin(l, vars)
	case "after":
		return p.after(l)
	}
	if p.state == nil {
		return p.open(l)
	}
	in := flows.Input{Kind: flows.InputText, Text: l.text}
	switch l.verb {
	case "photo":
		in.Kind, in.Photos = flows.InputPhoto, l.words
	case "place":
		in.Kind, in.Text, in.Place = flows.InputPlace, "", place(l)
	case "tap":
		i := slices.IndexFunc(p.last.Options, func(o flows.Option) bool { return o.Label == l.text })
		if i < 0 {
			return p.fail(l.number, "there is no option %q to tap in: %s", l.text, p.show(p.last))
		}
		in = flows.Input{Kind: flows.InputChoice, Choice: p.last.Options[i].Value}
	}
	return p.step(l, in)
}

func place(l line) *bots.Place {
	return &bots.Place{Lat: l.lat, Lon: l.lon, Datum: bots.DatumWGS84, Label: l.text}
}

// open starts the dialogue that a first message asks for.
func (p *player) open(l line) error {
	vars := map[string]any{}
	switch l.verb {
	case "photo":
		vars[flows.VarPhotos] = l.words
		vars[flows.VarText] = p.asked(l.text, false)
	case "place":
		vars[flows.VarPosition] = place(l)
	case "tap":
		return p.fail(l.number, "there is nothing to tap")
	default:
		vars[flows.VarText] = p.asked(l.text, true)
	}
	p.named = false
	return p.begin(l, vars)
}

// asked chooses the dialogue that a first message begins, where the transcript
// does not name it, and returns what the dialogue gets to hear. A command of
// the staff is taken off: 3 已修好 of 办 3 已修好.
func (p *player) asked(text string, typed bool) string {
	if p.named {
		return text
	}
	p.flow = p.t.Flow
	if flow, rest, ok := p.command(text); ok {
		p.flow = flow
		return rest
	}
	if !typed { // a caption is no command of a resident
		return text
	}
	starts := map[string][]string{}
	for _, d := range p.defs {
		if !d.Push && d.Audience != flows.AudienceStaff {
			starts[d.Name] = d.Starts
		}
	}
	if flow, ok := p.env.Words.Intent(text, starts); ok {
		p.flow = flow
	}
	return text
}

// command finds the longest staff command at the beginning of a message; only
// in the transcript of a staff dialogue.
func (p *player) command(text string) (flow, rest string, ok bool) {
	if home, err := p.load(p.t.Flow); err != nil || home.Audience != flows.AudienceStaff {
		return "", "", false
	}
	longest := ""
	for _, d := range p.defs {
		for _, w := range d.Starts {
			if d.Audience == flows.AudienceStaff && len(w) > len(longest) && strings.HasPrefix(text, w) {
				longest, flow = w, d.Name
			}
		}
	}
	return flow, strings.TrimSpace(strings.TrimPrefix(text, longest)), longest != ""
}

func (p *player) begin(l line, vars map[string]any) error {
	d, err := p.load(p.flow)
	if err != nil {
		return p.fail(l.number, "%v", err)
	}
	s, out, err := d.Start(version, vars, p.env)
	return p.settle(l, s, out, err)
}

func (p *player) step(l line, in flows.Input) error {
	s, err := stored(*p.state)
	if err != nil {
		return err
	}
	d, err := p.load(s.Flow)
	if err != nil {
		return p.fail(l.number, "%v", err)
	}
	next, out, err := d.Step(s, in, p.env)
	return p.settle(l, next, out, err)
}

// settle compares what was said, does the call if there is one, and goes on.
func (p *player) settle(l line, s flows.State, out flows.Output, err error) error {
	if err != nil {
		return p.fail(l.number, "%v", err)
	}
	for _, say := range out.Says {
		if err := p.expect(say); err != nil {
			return err
		}
		if say.Question {
			p.last, p.waited = say, 0
		}
	}
	if out.Ended {
		p.state, p.last, p.waited = nil, flows.Say{}, 0
		return nil
	}
	p.state = &s
	if out.Call == nil {
		return nil
	}
	in, err := p.do(*out.Call)
	if err != nil {
		return err
	}
	return p.step(l, in)
}

// version is the number of every definition in a transcript.
const version = 1

func (p *player) load(flow string) (*flows.Definition, error) {
	for _, d := range p.defs {
		if d.Name == flow {
			return d, nil
		}
	}
	return nil, fmt.Errorf("there is no dialogue %q", flow)
}

// stored passes a state through JSON, as the database does.
func stored(s flows.State) (flows.State, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return s, fmt.Errorf("state to JSON: %w", err)
	}
	var back flows.State
	if err := json.Unmarshal(body, &back); err != nil {
		return s, fmt.Errorf("state from JSON: %w", err)
	}
	return back, nil
}

// after lets time pass: the nudge and the expiry of the open question come.
func (p *player) after(l line) error {
	before := p.waited
	p.waited += l.wait
	if p.state == nil || p.state.Open() == nil {
		return nil
	}
	turn := p.state.Open().Turn
	if n := p.last.Nudge; n > 0 && before < n && p.waited >= n {
		if err := p.step(l, flows.Input{Kind: flows.InputNudge, Turn: turn}); err != nil {
			return err
		}
	}
	if e := p.last.Expire; e > 0 && before < e && p.waited >= e && p.state != nil {
		return p.step(l, flows.Input{Kind: flows.InputExpire, Turn: turn})
	}
	return nil
}

// expect compares one message with the next line.
func (p *player) expect(say flows.Say) error {
	got := p.show(say)
	if p.at == len(p.talk.lines) || p.talk.lines[p.at].kind == lineInput {
		return p.fail(p.here(), "said, but not expected:\n  + < %s", got)
	}
	l := p.talk.lines[p.at]
	p.at++
	if l.kind != lineBot {
		return p.differs(l.number, "< "+got)
	}
	text, err := p.text(say)
	if err != nil {
		return p.fail(l.number, "%v", err)
	}
	labels := make([]string, len(say.Options))
	for i, o := range say.Options {
		labels[i] = o.Label
	}
	if !matches(l.text, text) || !slices.Equal(l.options, labels) {
		return p.differs(l.number, "< "+got)
	}
	return nil
}

// caps sets what the channel can do.
func (p *player) caps(l line) error {
	var c flows.Caps
	for _, w := range l.words {
		switch w {
		case "all":
			c = flows.Caps{Photo: true, Place: true, Confirm: true}
		case "sms": // it carries words alone, and each one costs
			c = flows.Caps{Paid: true}
		case "none":
			c = flows.Caps{}
		case "photo":
			c.Photo = true
		case "place":
			c.Place = true
		case "confirm":
			c.Confirm = true
		case "group": // others read along
			c.Group = true
		default:
			return p.fail(l.number, "caps are all, sms, none, group, or some of photo place confirm; not %q", w)
		}
	}
	p.env.Caps = c
	return nil
}
