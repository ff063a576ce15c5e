package app

import (
	"fmt"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/sms/aliyun"
	"shaoying/bots/sms/kannel"
	"shaoying/bots/sms/tencent"
	"shaoying/bots/sms/twilio"
	"shaoying/configs"
)

// carrier reads the account of a carrier of short messages: its keys, its
// secrets and the limits of its kind. key is where the account names its server,
// may whether that server may be spoken to.
func (h *House) carrier(
	c configs.Channel, key string, may func(id, key string, local bool) error, limits *sms.Limits, cfg settings,
) (sms.Deps, error) {
	if err := h.account(c, key, may, cfg); err != nil {
		return sms.Deps{}, err
	}
	var policies sms.Policies
	if err := decodeInto("policies/sms.yaml", &policies); err != nil {
		return sms.Deps{}, err
	}
	known, ok := policies.Limits[c.Kind]
	if !ok {
		return sms.Deps{}, fmt.Errorf("policies/sms.yaml has no limits of %s", c.Kind)
	}
	*limits = known
	return sms.Deps{Clock: h.Clock, Log: h.Log, Keys: h.Keys}, nil
}

func (h *House) kannel(c configs.Channel) (bots.Adapter, error) {
	cfg := kannel.Config{Account: sms.Account{ID: bots.ChannelID(c.ID)}}
	deps, err := h.carrier(c, "send_url", h.staysHere, &cfg.Limits, &cfg)
	if err != nil {
		return nil, err
	}
	return kannel.New(cfg, deps)
}

func (h *House) aliyun(c configs.Channel) (bots.Adapter, error) {
	cfg := aliyun.Config{Account: sms.Account{ID: bots.ChannelID(c.ID)}}
	deps, err := h.carrier(c, "api_url", h.staysHere, &cfg.Limits, &cfg)
	if err != nil {
		return nil, err
	}
	return aliyun.New(cfg, deps)
}

func (h *House) tencent(c configs.Channel) (bots.Adapter, error) {
	cfg := tencent.Config{Account: sms.Account{ID: bots.ChannelID(c.ID)}}
	deps, err := h.carrier(c, "api_url", h.staysHere, &cfg.Limits, &cfg)
	if err != nil {
		return nil, err
	}
	return tencent.New(cfg, deps)
}

// twilio is abroad, as Telegram is.
func (h *House) twilio(c configs.Channel) (bots.Adapter, error) {
	cfg := twilio.Config{Account: sms.Account{ID: bots.ChannelID(c.ID)}}
	deps, err := h.carrier(c, "api_url", h.mayLeave, &cfg.Limits, &cfg)
	if err != nil {
		return nil, err
	}
	return twilio.New(cfg, deps)
}
