package configs

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // a container or a plain user may have no zone files

	"github.com/goccy/go-yaml/ast"
)

// Process is what SHAOYING_CONFIG says: the process and its channels, nothing
// that a clerk would change.
type Process struct {
	// Timezone is the IANA zone of schedules and of every time on a screen.
	Timezone string    `yaml:"timezone"`
	Privacy  Privacy   `yaml:"privacy"`
	Desk     Desk      `yaml:"desk"`
	Webhooks Webhooks  `yaml:"webhooks"`
	Channels []Channel `yaml:"channels"`
}

// Desk says where staff open the desk page.
type Desk struct {
	// URL is the address of the site as staff reach it, without a path:
	// https://12345.example.gov.cn. The links that are sent into chats begin with
	// it, and with https sessions are for https alone. Empty, a link is a path.
	URL string `yaml:"url"`
}

// HTTPS reports whether the desk is reached by https.
func (d Desk) HTTPS() bool { return strings.HasPrefix(d.URL, "https://") }

func (d Desk) check() error {
	u, err := url.Parse(d.URL)
	if d.URL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil) {
		return fmt.Errorf("desk.url %q is not an address without a path like https://12345.example.gov.cn", d.URL)
	}
	return nil
}

// Webhooks says where events may be posted to beside the public network.
type Webhooks struct {
	// Allow lists networks of the city's own, such as that of its 12345
	// platform.
	Allow []netip.Prefix `yaml:"allow"`
}

// Privacy holds the decisions that the owner of the data has to make.
type Privacy struct {
	// CrossBorderAssessment is the file number of the security assessment that
	// PIPL art. 36 asks for before residents' data may leave the mainland.
	// While it is empty, channels whose network is abroad carry no residents.
	CrossBorderAssessment string `yaml:"cross_border_assessment"`
}

// Channel is one configured channel account.
type Channel struct {
	// ID names the account in the database and in URLs: a-z, 0-9, "-", at
	// most 32 bytes. It never changes once messages were stored under it.
	ID string
	// Kind chooses the adapter ("webchat").
	Kind string

	name string   // file, for errors
	rest ast.Node // the keys that belong to the adapter
}

// Location returns the loaded Timezone. Load has checked it.
func (p Process) Location() (*time.Location, error) {
	loc, err := time.LoadLocation(p.Timezone)
	if err != nil || p.Timezone == "" {
		return nil, fmt.Errorf("timezone %q is not an IANA zone like Asia/Shanghai", p.Timezone)
	}
	return loc, nil
}

// Decode reads the keys of the account other than id and kind into v, the
// adapter's own config struct, as strictly as the package's Decode.
func (c Channel) Decode(v any) error {
	if c.rest == nil {
		return nil
	}
	return decodeNode(c.name, c.rest, v)
}

// Load reads the file at path over the embedded process.yaml; an empty path
// means the defaults alone. A key that the file has replaces the default, and
// a list of channels replaces the whole list.
func Load(path string) (Process, error) {
	var p Process
	body, err := Read("process.yaml")
	if err != nil {
		return Process{}, fmt.Errorf("read embedded defaults: %w", err)
	}
	if err := p.overlay("process.yaml", body); err != nil {
		return Process{}, err
	}
	if path != "" {
		body, err := os.ReadFile(path)
		if err != nil {
			return Process{}, fmt.Errorf("read SHAOYING_CONFIG: %w", err)
		}
		if err := p.overlay(path, body); err != nil {
			return Process{}, err
		}
	}
	return p, nil
}

// overlay decodes body over p and checks the result.
func (p *Process) overlay(name string, body []byte) error {
	doc, err := parse(name, body)
	if err != nil || doc == nil {
		return err
	}
	next := struct {
		Timezone string    `yaml:"timezone"`
		Privacy  Privacy   `yaml:"privacy"`
		Desk     Desk      `yaml:"desk"`
		Webhooks Webhooks  `yaml:"webhooks"`
		Channels []rawNode `yaml:"channels"`
	}{Timezone: p.Timezone, Privacy: p.Privacy, Desk: p.Desk, Webhooks: p.Webhooks}
	if err := decodeNode(name, doc, &next); err != nil {
		return err
	}
	p.Timezone, p.Privacy, p.Desk, p.Webhooks = next.Timezone, next.Privacy, next.Desk, next.Webhooks
	_, err = p.Location()
	if err := errors.Join(err, p.Desk.check()); err != nil {
		return &Error{Name: name, Message: err.Error()}
	}
	if next.Channels == nil {
		return nil
	}
	p.Channels = nil
	seen := map[string]bool{}
	for _, raw := range next.Channels {
		c, err := newChannel(name, raw.node)
		if err != nil {
			return err
		}
		if seen[c.ID] {
			return at(name, raw.node.GetToken(), fmt.Sprintf("channel id %q is used twice", c.ID))
		}
		seen[c.ID] = true
		p.Channels = append(p.Channels, c)
	}
	return nil
}

// rawNode keeps a piece of the document for its owner to decode.
type rawNode struct{ node ast.Node }

// UnmarshalYAML keeps the node.
func (r *rawNode) UnmarshalYAML(node ast.Node) error {
	r.node = node
	return nil
}

// newChannel takes id and kind out of a channel's mapping and keeps the rest.
func newChannel(name string, node ast.Node) (Channel, error) {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		return Channel{}, at(name, node.GetToken(), "a channel is a mapping with id and kind")
	}
	c := Channel{name: name}
	rest := *mapping
	rest.Values = nil
	for _, pair := range mapping.Values {
		var into *string
		switch pair.Key.GetToken().Value {
		case "id":
			into = &c.ID
		case "kind":
			into = &c.Kind
		default:
			rest.Values = append(rest.Values, pair)
			continue
		}
		if err := decodeNode(name, pair.Value, into); err != nil {
			return Channel{}, err
		}
	}
	if !validID(c.ID) {
		return Channel{}, at(name, node.GetToken(), fmt.Sprintf("channel id %q: write 1 to 32 of a-z, 0-9 and -", c.ID))
	}
	if c.Kind == "" {
		return Channel{}, at(name, node.GetToken(), fmt.Sprintf("channel %s has no kind (webchat, telegram, …)", c.ID))
	}
	if len(rest.Values) > 0 {
		c.rest = &rest
	}
	return c, nil
}

func validID(id string) bool {
	if id == "" || len(id) > 32 {
		return false
	}
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return true
}
