package gateway

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// Kinds of definition that the library holds.
const (
	kindFlow  = "flow"
	kindTexts = "texts"
)

// commonTexts is the text file with the words that every dialogue needs,
// staffTexts that of what is said to staff alone.
const (
	commonTexts = "common"
	staffTexts  = "staff"
)

// ErrNoDefinition is wrapped when a dialogue or text is not in the library.
var ErrNoDefinition = errors.New("no such definition")

// Library holds the dialogues and texts of this city, every version that is
// still spoken. The database has them all; the latest console publication
// wins over a file, a file over what is embedded in the program. A running
// dialogue keeps the version it started with.
type Library struct {
	mu       sync.RWMutex
	flows    map[string]map[int]*flows.Definition
	texts    map[string]map[int]*flows.Texts
	current  map[string]int // kind/name -> version
	textsOf  map[string]string
	starts   map[string][]string
	commands map[string][]string
	late     time.Duration
}

// LoadLibrary adds the definitions of files (flows/*.yaml, texts/*.yaml) to
// the database when they are new there and reads back all that is needed.
// Source says where files come from: "embedded" or "file".
func LoadLibrary(ctx context.Context, d *postgres.DB, files fs.FS, source string) (*Library, error) {
	if err := addDefinitions(ctx, d, files, source); err != nil {
		return nil, err
	}
	l := &Library{}
	return l, l.Reload(ctx, d)
}

func addDefinitions(ctx context.Context, d *postgres.DB, files fs.FS, source string) error {
	return d.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if err := tx.LockDefinitions(ctx); err != nil {
			return fmt.Errorf("lock the definitions: %w", err)
		}
		known, err := tx.Definitions(ctx)
		if err != nil {
			return fmt.Errorf("read the definitions: %w", err)
		}
		for kind, pattern := range map[string]string{kindFlow: "flows/*.yaml", kindTexts: "texts/*.yaml"} {
			names, err := fs.Glob(files, pattern)
			if err != nil {
				return fmt.Errorf("list %s: %w", pattern, err)
			}
			for _, name := range names {
				if err := addDefinition(ctx, tx, known, files, kind, name, source); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func addDefinition(ctx context.Context, tx *postgres.Tx, known []db.DefinitionsRow, files fs.FS, kind, file, source string) error {
	body, err := fs.ReadFile(files, file)
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	name := strings.TrimSuffix(path.Base(file), ".yaml")
	sha := sha256.Sum256(body)
	for _, k := range known {
		if k.Kind == kind && k.Name == name && k.Source == source && string(k.Sha) == string(sha[:]) && isLatest(known, k) {
			return nil
		}
	}
	if err := parseAny(kind, file, body); err != nil {
		return err
	}
	_, err = tx.AddDefinition(ctx, db.AddDefinitionParams{Kind: kind, Name: name, Sha: sha[:], Body: string(body), Source: source})
	if err != nil {
		return fmt.Errorf("store %s %s: %w", kind, name, err)
	}
	return nil
}

// isLatest tells whether k is the newest of its source: going back to an
// older text is a new version too.
func isLatest(all []db.DefinitionsRow, k db.DefinitionsRow) bool {
	for _, o := range all {
		if o.Kind == k.Kind && o.Name == k.Name && o.Source == k.Source && o.Version > k.Version {
			return false
		}
	}
	return true
}

func parseAny(kind, name string, body []byte) error {
	var err error
	if kind == kindFlow {
		_, err = flows.Parse(name, body)
	} else {
		_, err = flows.ParseTexts(name, body)
	}
	return err
}

// rank orders sources: the higher wins, and within one the later version.
var rank = map[string]int{"embedded": 1, "file": 2, "console": 3}

// Reload reads the library from the database again.
func (l *Library) Reload(ctx context.Context, d *postgres.DB) error {
	rows, err := d.Definitions(ctx)
	if err != nil {
		return fmt.Errorf("read the definitions: %w", err)
	}
	slices.SortStableFunc(rows, func(a, b db.DefinitionsRow) int {
		return cmp.Or(cmp.Compare(rank[a.Source], rank[b.Source]), cmp.Compare(a.Version, b.Version))
	})
	n := Library{
		flows: map[string]map[int]*flows.Definition{}, texts: map[string]map[int]*flows.Texts{},
		current: map[string]int{}, textsOf: map[string]string{}, starts: map[string][]string{}, commands: map[string][]string{},
	}
	for _, r := range rows {
		n.current[r.Kind+"/"+r.Name] = int(r.Version)
	}
	for _, r := range rows {
		// An old version that this program no longer understands stops nobody
		// but the dialogues that still run on it.
		if err := n.add(r); err != nil && n.current[r.Kind+"/"+r.Name] == int(r.Version) {
			return err
		}
	}
	if err := n.index(); err != nil {
		return err
	}
	n.share()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flows, l.texts, l.current = n.flows, n.texts, n.current
	l.textsOf, l.starts, l.commands, l.late = n.textsOf, n.starts, n.commands, n.late
	return nil
}

func (l *Library) add(r db.DefinitionsRow) error {
	version := int(r.Version)
	switch r.Kind {
	case kindFlow:
		def, err := flows.Parse(r.Name+".yaml", []byte(r.Body))
		if err != nil {
			return fmt.Errorf("dialogue %s version %d: %w", r.Name, version, err)
		}
		put(l.flows, r.Name, version, def)
	case kindTexts:
		texts, err := flows.ParseTexts(r.Name+".yaml", []byte(r.Body))
		if err != nil {
			return fmt.Errorf("texts %s version %d: %w", r.Name, version, err)
		}
		put(l.texts, r.Name, version, texts)
	}
	return nil
}

func put[T any](m map[string]map[int]T, name string, version int, v T) {
	if m[name] == nil {
		m[name] = map[int]T{}
	}
	m[name][version] = v
}

// index finds the words that start dialogues and where each text stands. A key
// in two files is refused: which of them is said would be chance.
func (l *Library) index() error {
	for name, versions := range l.flows {
		def := versions[l.current[kindFlow+"/"+name]]
		l.late = max(l.late, def.Late)
		if def.Push {
			continue
		}
		if def.Audience == "staff" {
			l.commands[name] = def.Starts
		} else {
			l.starts[name] = def.Starts
		}
	}
	for name, versions := range l.texts {
		for _, key := range versions[l.current[kindTexts+"/"+name]].Keys() {
			if other, twice := l.textsOf[key]; twice {
				return fmt.Errorf("text %q stands in texts/%s.yaml and in texts/%s.yaml: take one out", key, min(name, other), max(name, other))
			}
			l.textsOf[key] = name
		}
	}
	return nil
}

// share gives every dialogue the engine's own words, which stand in the texts
// named common.
func (l *Library) share() {
	common := l.texts[commonTexts][l.current[kindTexts+"/"+commonTexts]]
	for _, versions := range l.flows {
		for _, def := range versions {
			def.Common = common
		}
	}
}

// Flow returns a dialogue; version 0 means the current one. It returns the
// version found.
func (l *Library) Flow(name string, version int) (*flows.Definition, int, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if version == 0 {
		version = l.current[kindFlow+"/"+name]
	}
	def := l.flows[name][version]
	if def == nil {
		return nil, 0, fmt.Errorf("dialogue %q version %d: %w", name, version, ErrNoDefinition)
	}
	return def, version, nil
}

// Has tells whether a dialogue of that name exists.
func (l *Library) Has(name string) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.current[kindFlow+"/"+name] != 0
}

// TextSource tells which text file holds key now, and its version.
func (l *Library) TextSource(key string) (name string, version int, err error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	name, ok := l.textsOf[key]
	if !ok {
		return "", 0, fmt.Errorf("text %q: %w", key, ErrNoDefinition)
	}
	return name, l.current[kindTexts+"/"+name], nil
}

// Template returns the text behind an outbox row: source is "flow:NAME" or
// "texts:NAME" as the row was written.
func (l *Library) Template(source, key string, version int, lang string) (string, error) {
	kind, name, _ := strings.Cut(source, ":")
	l.mu.RLock()
	defer l.mu.RUnlock()
	switch kind {
	case kindFlow:
		def := l.flows[name][version]
		if def == nil {
			break
		}
		text, err := def.Text(key, lang)
		if !errors.Is(err, flows.ErrNoText) {
			return text, err
		}
		// An action may name a text of the catalogue.
		if texts := l.texts[l.textsOf[key]]; texts != nil {
			return texts[l.current[kindTexts+"/"+l.textsOf[key]]].Text(key, lang)
		}
		return "", err
	case kindTexts:
		if texts := l.texts[name][version]; texts != nil {
			return texts.Text(key, lang)
		}
	}
	return "", fmt.Errorf("text %s of %s version %d: %w", key, source, version, ErrNoDefinition)
}

// Text renders a catalogue text at once, for what is not sent as a message.
func (l *Library) Text(key, lang string, params map[string]string) (string, error) {
	name, version, err := l.TextSource(key)
	if err != nil {
		return "", err
	}
	tmpl, err := l.Template(kindTexts+":"+name, key, version, lang)
	if err != nil {
		return "", err
	}
	return flows.Render(tmpl, params)
}

// Late is the longest that any dialogue still takes an answer after it is over.
func (l *Library) Late() time.Duration {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.late
}

// Starts are the words by which residents begin each dialogue.
func (l *Library) Starts() map[string][]string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.starts
}

// StaffStarts are the commands of the staff.
func (l *Library) StaffStarts() map[string][]string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.commands
}

// GlobalFlow is the dialogue of a global word: the one of that name, for the
// staff the one named staff_NAME where there is one.
func (l *Library) GlobalFlow(word string, staff bool) (string, bool) {
	if staff && l.Has(staffFlowPrefix+word) {
		return staffFlowPrefix + word, true
	}
	return word, l.Has(word)
}

// CurrentTexts returns the texts of the catalogue as they are said now, by file.
func (l *Library) CurrentTexts() map[string]*flows.Texts {
	l.mu.RLock()
	defer l.mu.RUnlock()
	all := map[string]*flows.Texts{}
	for name, versions := range l.texts {
		all["texts/"+name+".yaml"] = versions[l.current[kindTexts+"/"+name]]
	}
	return all
}

// Current returns every dialogue as it is spoken now, for flow check.
func (l *Library) Current() []*flows.Definition {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var all []*flows.Definition
	for name, versions := range l.flows {
		all = append(all, versions[l.current[kindFlow+"/"+name]])
	}
	slices.SortFunc(all, func(a, b *flows.Definition) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Said names every text that residents may be sent, as outbox rows name it: for
// networks that send approved templates alone.
func (l *Library) Said() []bots.Template {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var all []bots.Template
	add := func(kind, name string, keys []string) {
		for _, key := range keys {
			all = append(all, bots.Template{Source: kind + ":" + name, Key: key})
		}
	}
	for name, versions := range l.flows {
		if !strings.HasPrefix(name, staffFlowPrefix) {
			add(kindFlow, name, versions[l.current[kindFlow+"/"+name]].Keys())
		}
	}
	for name, versions := range l.texts {
		if name != staffTexts {
			add(kindTexts, name, versions[l.current[kindTexts+"/"+name]].Keys())
		}
	}
	return all
}
