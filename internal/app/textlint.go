package app

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/flows/words"
	"shaoying/internal/textlint"
	"shaoying/internal/ticket"
)

// checkPaidTexts looks at the texts that can leave by SMS, with the longest names
// of the embedded units and matters and of the desks given.
func checkPaidTexts(defs []*flows.Definition, catalogue map[string]*flows.Texts, desks []string) ([]textlint.Problem, error) {
	var policy textlint.Policy
	if err := read("policies/paid_texts.yaml", textlint.ParsePolicy, &policy); err != nil {
		return nil, err
	}
	values, err := paidValues(catalogue, desks)
	if err != nil {
		return nil, err
	}
	return policy.Check(textlint.Texts{Flows: defs, Catalogue: catalogue, Values: values}), nil
}

// parseTexts reads texts/*.yaml.
func parseTexts(files fs.FS) (map[string]*flows.Texts, error) {
	names, err := fs.Glob(files, "texts/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list the texts: %w", err)
	}
	all := map[string]*flows.Texts{}
	for _, name := range names {
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if all[name], err = flows.ParseTexts(name, body); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// paidValues are what data can put into a text.
func paidValues(catalogue map[string]*flows.Texts, desks []string) (map[string][]string, error) {
	var safety *words.Safety
	var units *ticket.Units
	var matters *ticket.Matters
	err := errors.Join(
		read("safety.yaml", words.ParseSafety, &safety),
		read("units.yaml", ticket.ParseUnits, &units),
	)
	if err == nil {
		err = read("matters.yaml", func(name string, body []byte) (*ticket.Matters, error) { return ticket.ParseMatters(name, body, units) }, &matters)
	}
	if err != nil {
		return nil, err
	}
	v := map[string][]string{"desk_name": desks}
	for _, u := range units.All() {
		v["desk_name"] = append(v["desk_name"], u.Name)
	}
	for _, m := range matters.All() {
		v["matter"] = append(v["matter"], m.Name)
	}
	for _, text := range safety.Texts() {
		v["advice.text"] = append(v["advice.text"], text[flows.BaseLang])
	}
	for _, texts := range catalogue {
		for _, s := range texts.Each() {
			for prefix, name := range map[string]string{"notice.referred.": "way", "code.for.": "asked.what", "code.where.": "code.where", "stop.topic.": "done.what", "ticket.state.": "state"} {
				if strings.HasPrefix(s.Key, prefix) {
					v[name] = append(v[name], strings.ReplaceAll(s.Text[flows.BaseLang], "{{number}}", "4821 093 766"))
				}
			}
		}
	}
	return v, nil
}

// reviewTexts looks at the texts in force where a channel is configured that costs
// money. With what must not go out the program does not start. A text that is too
// long, perhaps by the name of a new desk, only costs more: no city is silent for
// that, and it stands in the log.
func (h *House) reviewTexts(adapters map[bots.ChannelID]bots.Adapter) error {
	costs := false
	for _, a := range adapters {
		costs = costs || a.Caps().Paid
	}
	if !costs {
		return nil
	}
	problems, err := checkPaidTexts(h.Library.Current(), h.Library.CurrentTexts(), h.Places.Current().GridNames())
	if err != nil {
		return err
	}
	var bad []error
	for _, p := range problems {
		if p.Forbidden {
			bad = append(bad, errors.New(p.String()))
			continue
		}
		h.Log.Error("a text should be another one before it goes out by SMS", "problem", p.String())
	}
	return errors.Join(bad...)
}
