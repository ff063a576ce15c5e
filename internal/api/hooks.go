package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/webhook"
)

func (a *API) hooks() {
	read(a, get("listWebhooks", "/webhooks", "Where events are posted to"), people.MayManageHooks, a.listHooks)
	write(a, post("createWebhook", "/webhooks", "Post events to an address", http.StatusCreated), people.MayManageHooks,
		func(*newHookInput) string { return "" }, a.createHook)
	read(a, get("listDeadLetters", "/webhooks/{id}/dead", "Events that a receiver never took"), people.MayManageHooks, a.deadLetters)
	write(a, post("replayDeadLetters", "/webhooks/{id}/dead/replay", "Post dead letters again", http.StatusOK), people.MayManageHooks,
		func(in *replayInput) string { return in.ID }, a.replay)
	// Ended twice is ended: this one needs no key.
	end := huma.Operation{OperationID: "deleteWebhook", Method: http.MethodDelete, Path: "/webhooks/{id}", Summary: "Post no more to an address"}
	read(a, end, people.MayManageHooks, a.deleteHook)
}

// Webhook is where events are posted to.
type Webhook struct {
	ID     string    `json:"id"`
	Host   string    `json:"host" doc:"of the address; the rest of it is not shown again"`
	Events []string  `json:"events" doc:"kinds of event; none means all"`
	Area   string    `json:"area" doc:"kind:code"`
	Made   time.Time `json:"created_at"`
	// Secret is shown once.
	Secret string `json:"secret,omitempty" doc:"signs the posts; shown once"`
}

func (a *API) hookOf(v *visit, w db.Webhook) (Webhook, error) {
	address, err := v.Open(webhook.SealURL, w.Url)
	if err != nil {
		return Webhook{}, err
	}
	return Webhook{
		ID: strconv.FormatInt(w.ID, 10), Host: webhook.Host(address), Events: w.Events, Area: w.AreaKind + ":" + w.Area, Made: w.CreatedAt.UTC(),
	}, nil
}

func (a *API) listHooks(ctx context.Context, v *visit, in *Paging) (*Page[Webhook], error) {
	from, err := in.at("webhooks", 0)
	if err != nil {
		return nil, err
	}
	rows, err := v.Webhooks(ctx)
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	var all []Webhook
	for _, r := range rows {
		w, err := a.hookOf(v, r)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return pageOf(all, "webhooks", from, a.rows(*in)), nil
}

// NewWebhook asks for events.
type NewWebhook struct {
	URL    string   `json:"url" minLength:"8" maxLength:"2000"`
	Events []string `json:"events,omitempty" maxItems:"100" doc:"kinds of event such as ticket.closed; none means all"`
	Area   string   `json:"area,omitempty" doc:"kind:code, such as county:360302 or unit:urban_management; the whole area of the token when missing"`
}

type newHookInput struct {
	Keyed
	Body NewWebhook
}

func (a *API) createHook(ctx context.Context, v *visit, in *newHookInput) (*Webhook, error) {
	if err := a.Hooks.Check(in.Body.URL); err != nil {
		return nil, invalid("body.url", err.Error())
	}
	area := v.area()
	if in.Body.Area != "" {
		var err error
		if area, err = people.ParseArea(in.Body.Area); err != nil {
			return nil, invalid("body.area", err.Error())
		}
	}
	kinds := make([]string, 0, len(in.Body.Events))
	for _, k := range in.Body.Events {
		if !knownEvent(k) {
			return nil, invalid("body.events", "there is no event "+strconv.Quote(k))
		}
		kinds = append(kinds, k)
	}
	rows, err := v.Webhooks(ctx)
	if err != nil {
		return nil, fmt.Errorf("count webhooks: %w", err)
	}
	if len(rows) >= a.Hooks.Max() {
		return nil, newProblem(http.StatusConflict, codeTooMany, "there are as many webhooks as there may be")
	}
	secret := "whsec_" + rand.Text()
	row, err := v.AddWebhook(ctx, db.AddWebhookParams{
		Url: v.Seal(webhook.SealURL, in.Body.URL), Secret: v.Seal(webhook.SealSecret, secret), Events: kinds,
		AreaKind: string(area.Kind), Area: area.Code, CreatedBy: v.Token,
	})
	if err != nil {
		return nil, fmt.Errorf("keep a webhook: %w", err)
	}
	if err := v.Record(ctx, "webhook.created", postgres.Subject("webhook", row.ID), map[string]any{"area": area.Code, "events": kinds}, ""); err != nil {
		return nil, err
	}
	return &Webhook{
		ID: strconv.FormatInt(row.ID, 10), Host: webhook.Host(in.Body.URL), Events: kinds, Area: string(area.Kind) + ":" + area.Code,
		Made: row.CreatedAt.UTC(), Secret: secret,
	}, wrap("tell of a webhook", v.WakeWebhooks(ctx))
}

func knownEvent(kind string) bool {
	name, ok := strings.CutPrefix(kind, "ticket.")
	return ok && slices.Contains(ticket.EventKinds(), ticket.EventKind(name))
}

// hookID reads the id of a webhook that there is.
func (a *API) hookID(ctx context.Context, v *visit, s string) (int64, error) {
	id, err := parseID(s)
	if err != nil {
		return 0, err
	}
	if _, err := v.GetWebhook(ctx, id); err != nil {
		return 0, missing("load a webhook", err)
	}
	return id, nil
}

// HookPath names a webhook in an address.
type HookPath struct {
	ID string `path:"id"`
}

func (a *API) deleteHook(ctx context.Context, v *visit, in *HookPath) (*Webhook, error) {
	id, err := a.hookID(ctx, v, in.ID)
	if err != nil {
		return nil, err
	}
	row, err := v.GetWebhook(ctx, id)
	if err != nil {
		return nil, missing("load a webhook", err)
	}
	if _, err := v.EndWebhook(ctx, id); err != nil {
		return nil, fmt.Errorf("end a webhook: %w", err)
	}
	if err := v.Record(ctx, "webhook.ended", postgres.Subject("webhook", id), nil, ""); err != nil {
		return nil, err
	}
	if err := v.WakeWebhooks(ctx); err != nil {
		return nil, fmt.Errorf("tell of a webhook: %w", err)
	}
	w, err := a.hookOf(v, row)
	return &w, err
}

// DeadLetter is an event that a receiver never took.
type DeadLetter struct {
	Event  webhook.Posting `json:"event"`
	Reason string          `json:"reason" doc:"of the last try"`
	Tries  int             `json:"tries"`
	At     *time.Time      `json:"given_up_at,omitempty"`
}

type deadInput struct {
	HookPath
	Paging
}

func (a *API) deadLetters(ctx context.Context, v *visit, in *deadInput) (*Page[DeadLetter], error) {
	after, err := in.at("dead", 0)
	if err != nil {
		return nil, err
	}
	id, err := a.hookID(ctx, v, in.ID)
	if err != nil {
		return nil, err
	}
	rows, err := v.DeadDues(ctx, db.DeadDuesParams{
		Kind: webhook.Due, Subject: postgres.Subject("webhook", id), After: after, MaxRows: int32(a.rows(in.Paging)),
	})
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	page := &Page[DeadLetter]{Items: []DeadLetter{}}
	for _, r := range rows {
		d := DeadLetter{Reason: r.Reason, Tries: int(r.Tries), At: r.DoneAt}
		if err := json.Unmarshal(r.Data, &d.Event); err != nil {
			return nil, fmt.Errorf("read a dead letter: %w", err)
		}
		page.Items = append(page.Items, d)
	}
	if n := len(rows); n == a.rows(in.Paging) {
		page.Next = cursorOf("dead", rows[n-1].ID)
	}
	return page, nil
}

// ReplayBody says which dead letters are posted again.
type ReplayBody struct {
	Events []string `json:"events,omitempty" maxItems:"1000" doc:"ids of events; none means all"`
}

type replayInput struct {
	HookPath
	Keyed
	Body ReplayBody
}

// Replayed is how many dead letters are on their way again.
type Replayed struct {
	Count int64 `json:"count"`
}

func (a *API) replay(ctx context.Context, v *visit, in *replayInput) (*Replayed, error) {
	id, err := a.hookID(ctx, v, in.ID)
	if err != nil {
		return nil, err
	}
	keys := in.Body.Events
	if keys == nil {
		keys = []string{}
	}
	n, err := v.ReviveDues(ctx, webhook.Due, postgres.Subject("webhook", id), keys)
	if err != nil {
		return nil, fmt.Errorf("replay dead letters: %w", err)
	}
	a.Hooks.Forgive(id)
	v.WakeDue()
	return &Replayed{n}, v.Record(ctx, "webhook.replayed", postgres.Subject("webhook", id), map[string]any{"count": n}, "")
}
