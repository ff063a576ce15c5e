package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"shaoying/configs"
	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
)

// topicAll stands for every push.
const topicAll = "all"

// Stopping is configs/policies/stopping.yaml, which says where its values come
// from.
type Stopping struct {
	// Within is how long after a text of ours a stop word is an answer to it.
	Within time.Duration `yaml:"within"`
	// Topics are the reasons of outbox rows, by topic.
	Topics map[string][]string `yaml:"topics"`
	// Phone are the topics that nobody leaves without being rung up; CareFor is
	// how long after the last text of one a stop of everything is leaving it.
	Phone   []string      `yaml:"phone"`
	CareFor time.Duration `yaml:"care_for"`
	Source  string        `yaml:"source"`
}

// ParseStopping decodes configs/policies/stopping.yaml strictly.
func ParseStopping(name string, body []byte) (Stopping, error) {
	var p Stopping
	if err := configs.Decode(name, body, &p); err != nil {
		return p, err
	}
	var bad []error
	if p.Within <= 0 || p.CareFor <= 0 {
		bad = append(bad, errors.New("within and care_for must be times such as 72h"))
	}
	seen := map[string]string{}
	for topic, reasons := range p.Topics {
		for _, r := range reasons {
			if other, twice := seen[r]; twice {
				bad = append(bad, fmt.Errorf("%s belongs to topic %s and to %s", r, min(other, topic), max(other, topic)))
			}
			seen[r] = topic
		}
	}
	for _, topic := range p.Phone {
		if _, ok := p.Topics[topic]; !ok {
			bad = append(bad, fmt.Errorf("phone: there is no topic %q", topic))
		}
	}
	if p.Source == "" {
		bad = append(bad, errors.New("source must say where the values come from"))
	}
	if err := errors.Join(bad...); err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// ByReason is the topic of each reason of an outbox row.
func (p Stopping) ByReason() map[string]string {
	topics := map[string]string{}
	for topic, reasons := range p.Topics {
		for _, r := range reasons {
			topics[r] = topic
		}
	}
	return topics
}

// stop ends pushes. On a channel of phone numbers it concerns the number alone,
// because anybody can write any number as the sender: the topic of the last push
// at first, everything the second time. Elsewhere the person wants no more pushes
// at all. Replies go on everywhere.
func (s *Set) stop(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	if t.Forgeable() {
		return s.stopNumber(ctx, t)
	}
	if err := t.StopAddress(ctx, t.Address); err != nil {
		return nil, fmt.Errorf("stop an address: %w", err)
	}
	if err := t.OptOut(ctx, t.Own, topicAll); err != nil {
		return nil, fmt.Errorf("note an opt-out: %w", err)
	}
	if _, err := s.careTexts(ctx, t, topicAll, true); err != nil {
		return nil, err
	}
	return result{"what": "", "number": false}, t.Record(ctx, "person.stopped", postgres.Subject("person", t.Person), nil, "")
}

func (s *Set) stopNumber(ctx context.Context, t *gateway.Turn) (result, error) {
	topic, err := s.lastTopic(ctx, t)
	if err != nil {
		return nil, err
	}
	if topic != "" {
		fresh, err := t.StopTopic(ctx, t.Address, topic)
		if err != nil {
			return nil, fmt.Errorf("stop a topic: %w", err)
		}
		if fresh == 0 {
			topic = "" // again: everything
		}
	}
	r, subject := result{"what": "", "number": true}, postgres.Subject("address", t.Address)
	if topic == "" {
		topic = topicAll
		if err := t.StopAddress(ctx, t.Address); err != nil {
			return nil, fmt.Errorf("stop a number: %w", err)
		}
	} else if r["what"], err = s.Library.Text("stop.topic."+topic, t.Lang, nil); err != nil {
		return nil, err
	}
	reasons := s.Stopping.Topics[topic]
	if reasons == nil { // a null array is not an empty one
		reasons = []string{}
	}
	if err := t.StaleQueued(ctx, t.Address, reasons); err != nil {
		return nil, fmt.Errorf("take back what waits for a number: %w", err)
	}
	inBed, err := s.careTexts(ctx, t, topic, true)
	if err != nil {
		return nil, err
	}
	if !inBed { // else the clinic's desk rings
		if err := s.staysInCare(ctx, t, topic); err != nil {
			return nil, err
		}
	}
	return r, t.Record(ctx, "address.stopped", subject, map[string]any{"topic": topic}, "")
}

// lastTopic is what the number was last written about unasked, in the thread in
// which the stop word came where it came in one; "" when that was long ago or
// belongs to no topic.
func (s *Set) lastTopic(ctx context.Context, t *gateway.Turn) (string, error) {
	reason, err := t.LastPush(ctx, t.Conversation, t.Now.Add(-s.Stopping.Within), t.Extension())
	if errors.Is(err, postgres.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look what a number was written about: %w", err)
	}
	return s.Stopping.ByReason()[reason], nil
}

// staysInCare lays it before people when a stop would make somebody leave care
// without a word and no bed of theirs is known: they ring.
func (s *Set) staysInCare(ctx context.Context, t *gateway.Turn, topic string) error {
	left := slices.Contains(s.Stopping.Phone, topic)
	if topic == topicAll {
		reasons := []string{}
		for _, in := range s.Stopping.Phone {
			reasons = append(reasons, s.Stopping.Topics[in]...)
		}
		var err error
		if left, err = t.PushedSince(ctx, t.Conversation, t.Now.Add(-s.Stopping.CareFor), reasons); err != nil {
			return fmt.Errorf("look whether a number is in care: %w", err)
		}
	}
	if !left {
		return nil
	}
	words, err := s.Library.Text("stop.in_care", "", nil)
	if err != nil {
		return err
	}
	due := s.Policy.Person.Within.Deadline(t.Now, s.Orders.Work)
	return s.Orders.AddCityTask(ctx, t, workorder.TaskPerson, postgres.Subject("conversation", t.Conversation), people.RoleCallbackClerk, due,
		map[string]string{"words": words, "conversation": strconv.FormatInt(t.Conversation, 10)})
}

// careTexts takes whoever reads at this address off the ladders of their beds, or
// back on: the next of the household is asked, and with each stop the clinic's desk
// rings. A text stops or starts those alone who are written to at its number. It
// reports whether there was such a bed.
func (s *Set) careTexts(ctx context.Context, t *gateway.Turn, topic string, stop bool) (bool, error) {
	if topic != topicAll && !slices.Contains(s.Stopping.Phone, topic) {
		return false, nil
	}
	beds, err := s.beds(ctx, t, people.CmdStop)
	if err != nil {
		return false, err
	}
	found := false
	for _, b := range beds {
		by, ok, err := s.Care.Member(ctx, t, b)
		if err != nil {
			return false, err
		}
		if !ok || t.Forgeable() && !writtenAt(b, by.Person, t.Address) {
			continue
		}
		if _, err := s.Care.DoBed(ctx, t, b.ID, by, care.Texts{Person: by.Person, Stop: stop}); err != nil && !refusedCare(err) {
			return false, err
		}
		found = true
	}
	return found, nil
}

// writtenAt reports whether one of a household is written to at an address.
func writtenAt(b *homecare.Bed, person, address int64) bool {
	return b.Patient.Person == person && b.Patient.Address == address || slices.ContainsFunc(b.Carers, func(c care.Carer) bool {
		return c.Person == person && c.Address == address
	})
}

// start takes stops back. A text cannot undo what the person said elsewhere.
func (s *Set) start(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	if err := t.StartAddress(ctx, t.Address); err != nil {
		return nil, fmt.Errorf("start an address: %w", err)
	}
	if err := t.StartTopics(ctx, t.Address); err != nil {
		return nil, fmt.Errorf("start the topics of an address: %w", err)
	}
	if _, err := s.careTexts(ctx, t, topicAll, false); err != nil {
		return nil, err
	}
	if t.Forgeable() {
		elsewhere, err := t.OptedOut(ctx, t.Person, []string{topicAll})
		if err != nil {
			return nil, fmt.Errorf("look for an opt-out: %w", err)
		}
		return result{"elsewhere": elsewhere}, t.Record(ctx, "address.started", postgres.Subject("address", t.Address), nil, "")
	}
	if err := t.OptIn(ctx, t.Own, topicAll); err != nil {
		return nil, fmt.Errorf("take an opt-out back: %w", err)
	}
	return result{"elsewhere": false}, t.Record(ctx, "person.started", postgres.Subject("person", t.Person), nil, "")
}
