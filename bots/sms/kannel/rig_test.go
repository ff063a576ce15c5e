package kannel

import (
	"log/slog"
	"net/http"
	"testing"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/sms"
	"shaoying/bots/sms/kannel/kannelfake"
	"shaoying/bots/sms/smsfake"
	"shaoying/internal/privacy"
)

func TestConformance(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig {
		net := kannelfake.New(token)
		deps := smsfake.Deps(t, nil)
		return (&smsfake.Rig{
			T: t, Net: net.Network, Channel: "sms", Book: sms.Book{Keys: deps.Keys}, Number: number, Signature: signature,
			Open: func(log *slog.Logger) bots.Adapter { return open(t, settings(t, net.SendURL()), log) },
			Faults: map[bots.Class]string{
				bots.ClassTemporary: kannelfake.Temporal, bots.ClassUnknown: kannelfake.Lost,
				bots.ClassLoggedOut: kannelfake.Denied, bots.ClassGone: kannelfake.Blacklisted,
			},
			Forged: append(smsfake.Forgeries(token, http.MethodPost, "/mo/TOKEN?from=13800138000&to="+number+"&id=1", "forged"),
				smsfake.Forgeries(token, http.MethodGet, "/dlr/TOKEN?key=1&type=1", "")[:6]...),
			Hidden: []string{token, kannelfake.Password},
		}).Ready()
	})
}

const (
	token     = "callback-token-of-the-tests-0123456789"
	number    = "10690123"
	signature = "萍乡哨应"
)

// settings are what serve would use, for the gateway at send.
func settings(t testing.TB, send string) Config {
	t.Helper()
	return Config{
		Account: sms.Account{
			ID: "sms", Signature: signature, From: number, ExtensionDigits: 2,
			CallbackURL: "http://127.0.0.1:1", CallbackToken: privacy.NewSecret(token),
		},
		SendURL: send, Username: kannelfake.Username, Password: privacy.NewSecret(kannelfake.Password),
		Limits: smsfake.Limits(t, "../../../configs/policies/sms.yaml", "kannel"),
	}
}

func open(t testing.TB, cfg Config, log *slog.Logger) *Channel {
	t.Helper()
	c, err := New(cfg, smsfake.Deps(t, log))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
