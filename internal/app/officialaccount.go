package app

import (
	"shaoying/bots"
	"shaoying/bots/officialaccount"
	"shaoying/configs"
)

func (h *House) officialaccount(c configs.Channel) (bots.Adapter, error) {
	cfg := officialaccount.Config{ID: bots.ChannelID(c.ID)}
	if err := h.account(c, "api_url", h.staysHere, &cfg); err != nil {
		return nil, err
	}
	if err := decodeInto("policies/officialaccount.yaml", &cfg.Limits); err != nil {
		return nil, err
	}
	return officialaccount.New(cfg, officialaccount.Deps{Clock: h.Clock, Log: h.Log, State: h.stateOf(cfg.ID)})
}
