package app

import (
	"fmt"

	"shaoying/bots"
	"shaoying/bots/webchat"
	"shaoying/configs"
)

// channel makes the adapter of a configured channel account. This switch is
// the list of the networks that Shaoying speaks to.
func (h *House) channel(c configs.Channel) (bots.Adapter, error) {
	switch c.Kind {
	case "webchat":
		return h.webchat(c)
	}
	return nil, fmt.Errorf("channel %s: there is no kind %q (webchat)", c.ID, c.Kind)
}

func (h *House) webchat(c configs.Channel) (*webchat.Channel, error) {
	cfg := webchat.Config{ID: bots.ChannelID(c.ID), Demo: h.Env.Demo, Location: h.Location}
	if err := c.Decode(&cfg); err != nil {
		return nil, err
	}
	if err := decodeInto("policies/webchat.yaml", &cfg.Limits); err != nil {
		return nil, err
	}
	if err := decodeInto("pages/webchat.yaml", &cfg.Texts); err != nil {
		return nil, err
	}
	return webchat.New(cfg, webchat.Deps{
		Mailbox: &mailbox{channel: cfg.ID, db: h.DB, bus: h.Bus, keys: h.Keys}, Photos: h.Photos, Clock: h.Clock, Log: h.Log,
	})
}

// decodeInto reads an embedded file strictly into v.
func decodeInto(name string, v any) error {
	body, err := configs.Read(name)
	if err != nil {
		return fmt.Errorf("read embedded %s: %w", name, err)
	}
	return configs.Decode(name, body, v)
}
