package app

import (
	"fmt"

	"shaoying/bots"
	"shaoying/bots/telegram"
	"shaoying/bots/webchat"
	"shaoying/configs"
)

// channel makes the adapter of a configured channel account. This switch is
// the list of the networks that Shaoying speaks to.
func (h *House) channel(c configs.Channel) (bots.Adapter, error) {
	switch c.Kind {
	case "webchat":
		return h.webchat(c)
	case "telegram":
		return h.telegram(c)
	case "kannel":
		return h.kannel(c)
	case "smpp":
		return h.smpp(c)
	case "aliyun":
		return h.aliyun(c)
	case "tencent":
		return h.tencent(c)
	case "twilio":
		return h.twilio(c)
	case "officialaccount":
		return h.officialaccount(c)
	case "wechat":
		return h.wechat(c)
	case "wecom":
		return h.wecom(c)
	case "robots":
		return h.robot(c)
	}
	return nil, fmt.Errorf("channel %s: there is no kind %q (webchat, telegram, kannel, smpp, aliyun, tencent, twilio, officialaccount, wechat, wecom, robots)", c.ID, c.Kind)
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

func (h *House) telegram(c configs.Channel) (bots.Adapter, error) {
	cfg := telegram.Config{ID: bots.ChannelID(c.ID)}
	if err := h.account(c, "api_url", h.mayLeave, &cfg); err != nil {
		return nil, err
	}
	if err := decodeInto("policies/telegram.yaml", &cfg.Limits); err != nil {
		return nil, err
	}
	return telegram.New(cfg, telegram.Deps{Clock: h.Clock, Log: h.Log})
}

// settings is the configuration of an account with a server and secrets.
type settings interface {
	// Local reports whether the server is on this machine.
	Local() bool
	// Secrets reads the secrets from where the configuration says.
	Secrets() error
}

// account reads an account: its keys and its secrets. key is where it names its
// server, may whether that server may be spoken to.
func (h *House) account(c configs.Channel, key string, may func(id, key string, local bool) error, cfg settings) error {
	if err := c.Decode(cfg); err != nil {
		return err
	}
	if err := may(c.ID, key, cfg.Local()); err != nil {
		return err
	}
	return cfg.Secrets()
}

// mayLeave refuses a network abroad until somebody has taken responsibility for
// what residents write leaving the mainland. A server of one's own changes
// nothing: it hands on to the network. The demo, whose people are invented, is
// exempt and talks to this machine only. key is where the account names its
// server.
func (h *House) mayLeave(id, key string, local bool) error {
	if err := h.staysHere(id, key, local); err != nil {
		return err
	}
	if !h.Env.Demo && h.Process.Privacy.CrossBorderAssessment == "" {
		return fmt.Errorf("channel %s: this network's servers are abroad. What state organs handle stays in the mainland, and may leave it only after a "+
			"security assessment (PIPL art. 36). Write the file number of yours into privacy.cross_border_assessment in SHAOYING_CONFIG. "+
			"A drill with invented people needs none: serve --demo with %s on 127.0.0.1; see docs/zh", id, key)
	}
	return nil
}

// staysHere refuses, in the demo, whatever is not on this machine: nobody is to
// be charged for, or get, the words of invented people.
func (h *House) staysHere(id, key string, local bool) error {
	if h.Env.Demo && !local {
		return fmt.Errorf("channel %s: --demo talks to this machine only: set %s to a server on 127.0.0.1, or take the channel out of SHAOYING_CONFIG", id, key)
	}
	return nil
}

// decodeInto reads an embedded file strictly into v.
func decodeInto(name string, v any) error {
	body, err := configs.Read(name)
	if err != nil {
		return fmt.Errorf("read embedded %s: %w", name, err)
	}
	return configs.Decode(name, body, v)
}
