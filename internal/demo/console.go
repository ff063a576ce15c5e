package demo

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"slices"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/bots/webchat"
	"shaoying/internal/clock"
	"shaoying/internal/postgres"
	"shaoying/internal/privacy"
)

//go:embed page
var pageFiles embed.FS

// Deps is what the console stands on. All are needed.
type Deps struct {
	DB    *postgres.DB
	Bus   *postgres.Bus
	Clock *clock.Clock
	Keys  *privacy.Keys
	Log   *slog.Logger
	// Planner, Runner, Poster and Drainer are those of this process.
	Planner                 Planner
	Runner, Poster, Drainer Worker
	// Web is the page on which staff chat, Account its id and Sink what it
	// hands its events to.
	Web     *webchat.Channel
	Account bots.ChannelID
	Sink    bots.Sink
	// Location is the city's zone, in which times are shown.
	Location *time.Location
}

// Console serves the demo's pages and its clock. It is safe for use by many
// goroutines.
type Console struct {
	Deps
	traveller *Traveller
	texts     Texts
	families  []Family
	page      *template.Template
	mu        sync.Mutex
	last      *Journey // shown until the next one
}

// New reads the texts and returns the console.
func New(d Deps) (*Console, error) {
	if d.DB == nil || d.Bus == nil || d.Clock == nil || d.Keys == nil || d.Log == nil || d.Planner == nil || d.Runner == nil ||
		d.Poster == nil || d.Drainer == nil || d.Web == nil || d.Account == "" || d.Sink == nil || d.Location == nil {
		return nil, errors.New("demo: everything in Deps is needed")
	}
	texts, err := readTexts()
	if err != nil {
		return nil, err
	}
	plan, err := ReadCarePlan()
	if err != nil {
		return nil, err
	}
	page, err := template.New("").Option("missingkey=error").ParseFS(pageFiles, "page/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the demo's page: %w", err)
	}
	return &Console{
		Deps: d, texts: texts, families: plan.Families, page: page,
		traveller: NewTraveller(d.DB, d.Bus, d.Clock, d.Log, d.Planner, d.Runner, d.Poster, d.Drainer),
	}, nil
}

// remember keeps a journey for the page.
func (c *Console) remember(j Journey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = &j
}

func (c *Console) lastJourney() *Journey {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// seat finds who sits behind a link; false for nobody of the demo.
func (c *Console) seat(ctx context.Context, slug string) (webchat.Visitor, bool) {
	chat := seatOf(c.Keys, slug)
	if i := slices.IndexFunc(c.families, func(f Family) bool { return f.Slug == slug }); i >= 0 {
		return webchat.Visitor{Chat: chat, User: bots.UserID(chat), Title: c.families[i].Name}, true
	}
	if _, err := c.DB.DemoSeat(ctx, slug, string(c.Account), string(chat)); err != nil {
		if !errors.Is(err, postgres.ErrNoRows) {
			c.Log.Error("look who sits behind a demo link", "error", err)
		}
		return webchat.Visitor{}, false
	}
	all, err := c.persons(ctx, []string{slug})
	if err != nil || len(all) == 0 {
		c.Log.Error("look who sits behind a demo link", "error", err)
		return webchat.Visitor{}, false
	}
	return webchat.Visitor{Chat: chat, User: bots.UserID(chat), Title: all[0].Name + " · " + all[0].Role}, true
}
