package app

import (
	"context"
	"fmt"
	"time"

	"shaoying/bots"
	"shaoying/bots/sms/smpp"
	"shaoying/configs"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/privacy"
)

func (h *House) smpp(c configs.Channel) (bots.Adapter, error) {
	cfg := smpp.Defaults(bots.ChannelID(c.ID))
	if err := h.account(c, "addr", h.staysHere, &cfg); err != nil {
		return nil, err
	}
	return h.smppChannel(cfg)
}

func (h *House) smppChannel(cfg smpp.Config) (bots.Adapter, error) {
	if err := decodeInto("policies/smpp.yaml", &cfg.Limits); err != nil {
		return nil, err
	}
	return smpp.New(cfg, smpp.Deps{Parts: &parts{channel: string(cfg.ID), db: h.DB, keys: h.Keys}, Keys: h.Keys, Clock: h.Clock, Log: h.Log})
}

// parts keeps the pieces of long texts of one SMPP account in PostgreSQL, sealed.
type parts struct {
	channel string
	db      *postgres.DB
	keys    *privacy.Keys
}

const sealPart = "sms_part.body"

// maxStale is how many groups Stale returns at once.
const maxStale = 100

// Put implements smpp.Parts.
func (p *parts) Put(ctx context.Context, part smpp.Part) (smpp.Group, error) {
	err := p.db.PutPart(ctx, db.PutPartParams{
		Channel: p.channel, Grp: part.Group, Number: int16(part.Number), Total: int16(part.Total), Chat: string(part.Chat),
		Body: p.keys.Seal(part.Body, sealPart),
	})
	if err != nil {
		return smpp.Group{}, fmt.Errorf("keep a piece of a long text: %w", err)
	}
	return p.Group(ctx, part.Group)
}

// Group implements smpp.Parts.
func (p *parts) Group(ctx context.Context, id string) (smpp.Group, error) {
	rows, err := p.db.PartsOf(ctx, p.channel, id)
	if err != nil {
		return smpp.Group{}, fmt.Errorf("read the pieces of a long text: %w", err)
	}
	g := smpp.Group{ID: id}
	for _, r := range rows {
		body, err := p.keys.Open(r.Body, sealPart)
		if err != nil {
			return smpp.Group{}, fmt.Errorf("open a piece of a long text: %w", err)
		}
		if g.Started.IsZero() || r.At.Before(g.Started) {
			g.Started = r.At
		}
		g.Chat, g.Taken = bots.ChatID(r.Chat), g.Taken || r.Taken
		g.Parts = append(g.Parts, smpp.Part{Group: id, Chat: g.Chat, Number: int(r.Number), Total: int(r.Total), Body: body})
	}
	return g, nil
}

// Taken implements smpp.Parts.
func (p *parts) Taken(ctx context.Context, id string) error {
	if err := p.db.TakeParts(ctx, p.channel, id); err != nil {
		return fmt.Errorf("note that a long text was taken: %w", err)
	}
	return nil
}

// Drop implements smpp.Parts.
func (p *parts) Drop(ctx context.Context, id string) error {
	if err := p.db.DropParts(ctx, p.channel, id); err != nil {
		return fmt.Errorf("drop the pieces of a long text: %w", err)
	}
	return nil
}

// Stale implements smpp.Parts; the groups come without their pieces.
func (p *parts) Stale(ctx context.Context, age time.Duration) ([]smpp.Group, error) {
	rows, err := p.db.StaleParts(ctx, p.channel, age, maxStale)
	if err != nil {
		return nil, fmt.Errorf("look for old pieces of long texts: %w", err)
	}
	groups := make([]smpp.Group, len(rows))
	for i, r := range rows {
		groups[i] = smpp.Group{ID: r.Grp, Chat: bots.ChatID(r.Chat)}
	}
	return groups, nil
}
