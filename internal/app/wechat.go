package app

import (
	"shaoying/bots"
	"shaoying/bots/remote"
	"shaoying/bots/wechat"
	"shaoying/configs"
)

// wechat is a personal account, whose library runs in an agent.
func (h *House) wechat(c configs.Channel) (bots.Adapter, error) {
	cfg := wechat.Config{ID: bots.ChannelID(c.ID)}
	if err := c.Decode(&cfg); err != nil {
		return nil, err
	}
	if err := h.staysHere(c.ID, "api_url", cfg.Local()); err != nil {
		return nil, err
	}
	if err := decodeInto("policies/wechat.yaml", &cfg.Limits); err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	mine := remote.Config{ID: cfg.ID}
	if err := decodeInto("policies/agent.yaml", &mine.Limits); err != nil {
		return nil, err
	}
	return remote.New(mine, remote.Deps{
		Clock: h.Clock, Log: h.Log, State: h.stateOf(cfg.ID), Caps: cfg.Limits.Caps(),
		Start: func(at remote.Contact) (remote.Child, error) {
			return startAgent(brief{ID: cfg.ID, URL: at.URL, Token: at.Token.Reveal(), Limits: mine.Limits, WeChat: cfg}, h.Log)
		},
	})
}
