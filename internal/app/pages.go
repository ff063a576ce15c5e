package app

import (
	"net/http"

	"shaoying/bots"
	"shaoying/bots/webchat"
	"shaoying/internal/console"
	"shaoying/internal/demo"
)

// pages mounts everything that people open.
func (s *server) pages(mux *http.ServeMux) error {
	mux.Handle("/", s.web.Handler(s.gateway.Sink))
	s.webhooks(mux)
	s.feeds(mux)
	desk, err := console.New(console.Deps{
		Gateway: s.gateway, Orders: s.Orders, Care: s.Care, Tally: s.Tally, Units: s.Units, Places: s.Places.Current, Location: s.Location, Demo: s.Env.Demo,
		Guess: s.actions.Guess, Filing: s.actions.Filing, Safety: s.Safety, Photos: s.Photos,
		Phone: s.actions.Phone, Secure: s.Process.Desk.HTTPS(),
	})
	if err != nil {
		return err
	}
	desk.Routes(mux)
	if err := s.programs(mux); err != nil {
		return err
	}
	if !s.Env.Demo {
		return nil
	}
	stage, err := demo.New(demo.Deps{
		DB: s.DB, Bus: s.Bus, Clock: s.Clock, Keys: s.Keys, Log: s.Log, Planner: s.planner, Runner: s.runner, Poster: s.poster,
		Drainer: s.drainer, Web: s.web, Account: bots.ChannelID(s.webID()), Sink: s.gateway.Sink, Location: s.Location,
	})
	if err != nil {
		return err
	}
	stage.Routes(mux)
	// In the demo everybody may be anybody, at the desk too.
	mux.HandleFunc("GET /demo/as/{staff}/desk", func(w http.ResponseWriter, r *http.Request) {
		staff, err := s.DB.StaffBySlug(r.Context(), r.PathValue("staff"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		cookie, err := desk.Open(r.Context(), s.DB.Queries, staff.ID)
		if err != nil {
			s.Log.Error("open the desk in the demo", "error", err)
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		http.SetCookie(w, cookie)
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
	})
	return nil
}

// webhooks mounts /bots/{account} and what lies below it for every network that
// calls us, in every process. The page has places of its own.
func (s *server) webhooks(mux *http.ServeMux) {
	for id, a := range s.gateway.Channels {
		hook, ok := a.(bots.Webhook)
		if _, page := a.(*webchat.Channel); page || !ok {
			continue
		}
		path := "/bots/" + string(id)
		handler := http.StripPrefix(path, hook.Handler(s.gateway.Sink))
		mux.Handle(path, handler)
		mux.Handle(path+"/", handler)
	}
}
