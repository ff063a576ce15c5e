package flows

import (
	"strings"
	"unicode/utf8"

	"shaoying/flows/words"
)

// opening gives the first message to the items that it answers.
func (m *machine) opening() {
	photos, _ := m.s.Data[VarPhotos].([]any)
	text, _ := m.s.Data[VarText].(string)
	position, _ := m.s.Data[VarPosition].(map[string]any)
	var tookText, tookPlace bool
	for _, it := range m.d.items {
		if m.s.Data[it.name] != nil {
			continue
		}
		switch {
		case !tookPlace && position != nil && it.takes(AcceptPlace):
			tookPlace = true
			label, _ := position["label"].(string)
			m.take(it, position, label, "")
		case !tookText && it.takesWords() && m.says(text) >= it.opening && it.fits(text):
			tookText = true
			m.take(it, strings.TrimSpace(text), strings.TrimSpace(text), "")
		}
	}
	if it := m.photoItem(); it != nil && len(photos) > 0 && !it.takesWords() {
		m.unset(VarPhotos)
		m.addPhotos(it, photos)
	}
}

// says counts the characters of a text beside the words that start the flow.
func (m *machine) says(text string) int {
	text = words.Normalize(text)
	for _, w := range m.d.Starts {
		text = strings.ReplaceAll(text, words.Normalize(w), "")
	}
	return utf8.RuneCountInString(text)
}

// collect visits the named items in order and stops at the first that must be
// waited for. It reports whether all are over.
func (m *machine) collect(names []string) (bool, error) {
	for _, name := range names {
		it := m.d.byName[name]
		if it == nil { // asked for by a state of another version
			return false, ErrBadState
		}
		if err := m.visit(it); err != nil {
			return false, err
		}
		if m.s.Question != nil || m.s.Pending != nil {
			return false, nil
		}
	}
	return true, nil
}

// visit brings one item as far as it goes without the resident; then asks.
func (m *machine) visit(it *item) error {
	at := m.s.Items[it.name]
	switch {
	case at.State.over():
		return nil
	case at.State == ItemRaw:
		return m.resolve(it, false)
	case at.State == "" && m.s.Data[it.name] != nil:
		return nil // handed over by the caller
	case at.State == "" && it.fill != nil:
		v, err := it.fill.value(m.scope())
		if err != nil {
			return err
		}
		if v, err = plain(v); err != nil {
			return err
		}
		if v != nil {
			m.set(it.name, v)
			return nil
		}
	}
	if at.State == "" && it.resolve != "" && m.wordsOf(it.from) != "" {
		return m.resolve(it, true)
	}
	needed, err := m.needed(it, at)
	if err != nil {
		return err
	}
	if !needed {
		if at.State == ItemGuessed {
			at.State = ItemDone
			m.s.Items[it.name] = at
		}
		return nil
	}
	m.askItem(it)
	return nil
}

// needed reports whether the item has to be asked. A when that looks at the
// item itself judges a guess; a proposal of options stands above it.
func (m *machine) needed(it *item, at Item) (bool, error) {
	if onlyPhoto(it) && !m.env.Caps.Photo {
		return false, nil
	}
	if it.when.reads(it.name) {
		if at.State == ItemTried {
			return len(at.Options) > 0 || at.Misses > 0 || m.redoing(it.name), nil
		}
	} else if at.State == ItemGuessed {
		return false, nil
	}
	return it.when.holds(m.scope())
}

func onlyPhoto(it *item) bool { return len(it.accept) == 1 && it.accept[0] == AcceptPhoto }

func (m *machine) redoing(name string) bool {
	for _, n := range m.s.Redo {
		if n == name {
			return true
		}
	}
	return false
}

// wordsOf returns what the resident said for an item.
func (m *machine) wordsOf(name string) string {
	if name == "" {
		return ""
	}
	if at := m.s.Items[name]; at.State != "" {
		return at.Raw
	}
	s, _ := m.s.Data[name].(string) // handed over by the caller
	return s
}

// resolve asks the item's action what the words mean. A silent one tries the
// words of another item.
func (m *machine) resolve(it *item, silent bool) error {
	if err := m.spend(); err != nil {
		return err
	}
	at := m.s.Items[it.name]
	text, value := at.Raw, m.s.Data[it.name]
	if _, said := value.(string); said && at.Label == "" {
		value = nil // only words, and those are in text
	}
	if silent {
		text, value = m.wordsOf(it.from), nil
	}
	m.call(Pending{For: forResolve, Action: it.resolve, Item: it.name, Silent: silent},
		map[string]any{"value": value, "text": text, "vars": m.s.Vars()})
	return nil
}

// take stores an answer; what has a resolve is resolved next.
func (m *machine) take(it *item, value any, raw, label string) {
	at := Item{State: ItemDone, Raw: raw, Label: label, Misses: m.s.Items[it.name].Misses}
	if it.resolve != "" {
		at.State = ItemRaw
	}
	m.set(it.name, value)
	m.s.Items[it.name] = at
	m.s.Question = nil
}

func (m *machine) skip(it *item) {
	m.unset(it.name)
	m.s.Items[it.name] = Item{State: ItemSkipped}
	m.s.Question = nil
}

// photoItem is where photos go: the open item, else one for photos alone,
// else any that takes them.
func (m *machine) photoItem() *item {
	var found *item
	for _, it := range m.d.items {
		switch {
		case !it.takes(AcceptPhoto):
		case onlyPhoto(it):
			return it
		case found == nil:
			found = it
		}
	}
	return found
}

// addPhotos keeps photos: an item for photos alone holds them itself, others
// leave them in VarPhotos. It reports whether they are the first.
func (m *machine) addPhotos(it *item, photos []any) (first bool) {
	name, limit := it.name, MaxPhotos
	if !onlyPhoto(it) {
		name = VarPhotos
	} else if it.max > 0 {
		limit = it.max
	}
	have, _ := m.s.Data[name].([]any)
	if room := limit - len(have); len(photos) > room {
		photos = photos[:max(room, 0)]
	}
	all := append(append(make([]any, 0, len(have)+len(photos)), have...), photos...)
	m.set(name, all)
	if onlyPhoto(it) {
		m.s.Items[it.name] = Item{State: ItemDone}
	}
	return len(have) == 0
}

// fits reports whether a text has the length that the item wants.
func (i *item) fits(text string) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(text))
	return n > 0 && n <= MaxText && n >= i.min && (i.max == 0 || i.takes(AcceptPhoto) || n <= i.max)
}
