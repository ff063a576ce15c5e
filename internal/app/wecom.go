package app

import (
	"shaoying/bots"
	"shaoying/bots/wecom"
	"shaoying/configs"
)

// wecom makes an account of WeCom, whose servers are in the mainland.
func (h *House) wecom(c configs.Channel) (bots.Adapter, error) {
	cfg := wecom.Config{ID: bots.ChannelID(c.ID)}
	if err := h.account(c, "api_url", h.staysHere, &cfg); err != nil {
		return nil, err
	}
	if err := decodeInto("policies/wecom.yaml", &cfg.Limits); err != nil {
		return nil, err
	}
	return wecom.New(cfg, wecom.Deps{Clock: h.Clock, Log: h.Log, State: h.stateOf(cfg.ID)})
}
