package app

import (
	"context"
	"errors"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/flows/words"
	"shaoying/internal/actions"
	"shaoying/internal/console"
	"shaoying/internal/gateway"
	"shaoying/internal/webhook"
	"shaoying/scheduler"
	"shaoying/scheduler/jobs"
)

// furnish gives the gateway what dialogues may call, what may come due, and
// what is asked again before a push goes out.
func (s *server) furnish(deps *gateway.Deps) error {
	var policy actions.Policy
	if err := read("policies/intake.yaml", actions.ParsePolicy, &policy); err != nil {
		return err
	}
	var stopping actions.Stopping
	if err := read("policies/stopping.yaml", actions.ParseStopping, &stopping); err != nil {
		return err
	}
	deps.Topics = stopping.ByReason()
	if err := read("worsening.yaml", words.ParseSafety, &deps.Worse); err != nil {
		return err
	}
	set := &actions.Set{
		Orders: s.Orders, Care: s.Care, Units: s.Units, Places: s.Places.Current, Library: s.Library, Words: s.Words,
		Safety: s.Safety, Policy: policy, Stopping: stopping, Tally: s.Tally, Phone: s.phoneAccount(deps.Channels),
		Desk: func(ctx context.Context, t *gateway.Turn) (string, error) {
			path, err := console.Link(ctx, t, s.Keys)
			return s.Process.Desk.URL + path, err
		},
	}
	var money gateway.MoneyPolicy
	if err := errors.Join(
		read("policies/reports.yaml", gateway.ParseReportPolicy, &deps.Reports),
		read("policies/money.yaml", gateway.ParseMoneyPolicy, &money),
		read("policies/logins.yaml", gateway.ParseLoginPolicy, &deps.Logins),
	); err != nil {
		return err
	}
	deps.Money = &gateway.Money{Policy: money, Zone: s.Location}
	s.due = jobs.Deps{
		Log: s.Log, Orders: s.Orders, Care: s.Care, Library: s.Library, Quiet: s.Quiet, Channels: deps.Channels, Kinds: s.channelKinds(), Photos: s.Photos,
		Hooks: s.Sender, Answers: s.API.Answers.Keep,
		Reports: deps.Reports, Money: money, Privacy: s.Privacy, WarnDays: s.Hours.Coverage.WarnDays, Tally: s.Tally, Topics: deps.Topics,
		WordsPaid: policy.ReplyPaid,
	}
	if err := s.findFont(); err != nil {
		return err
	}
	if err := s.reviewTexts(deps.Channels); err != nil {
		return err
	}
	s.actions, deps.Actions = set, set.All()
	deps.Kinds = jobs.All(s.due)
	deps.Fresh = jobs.Fresh(s.due)
	deps.Carry, deps.Carries = jobs.Carry(s.due), jobs.Carries(s.due)
	deps.Dead, deps.Undeliverable = s.taskDead, jobs.Undelivered(s.due)
	deps.Overspent, deps.LoggedOut = jobs.Overspent(s.due), jobs.LoggedOut(s.due)
	return nil
}

// channelKinds are the kinds of the configured accounts.
func (s *server) channelKinds() map[bots.ChannelID]string {
	kinds := map[bots.ChannelID]string{}
	for _, c := range s.Process.Channels {
		kinds[bots.ChannelID(c.ID)] = c.Kind
	}
	return kinds
}

// phoneAccount is the account by which codes go to phone numbers: the first in
// the configuration whose ids are numbers, "" for none.
func (s *server) phoneAccount(adapters map[bots.ChannelID]bots.Adapter) bots.ChannelID {
	for _, c := range s.Process.Channels {
		if a := adapters[bots.ChannelID(c.ID)]; a != nil && a.Caps().Phone {
			return bots.ChannelID(c.ID)
		}
	}
	return ""
}

// clockwork makes the loops that product time drives.
func (s *server) clockwork() error {
	var list []scheduler.Schedule
	if err := read("schedules.yaml", scheduler.ParseSchedules, &list); err != nil {
		return err
	}
	var err error
	var near []string // what waits for no machine of others
	for _, k := range s.gateway.Kinds {
		if k.Name != webhook.Due {
			near = append(near, k.Name)
		}
	}
	s.runner, s.poster = gateway.NewRunner(s.gateway, near...), gateway.NewRunner(s.gateway, webhook.Due)
	s.drainer, s.unspool = gateway.NewDrainer(s.gateway), gateway.NewUnspooler(s.gateway)
	s.planner, err = gateway.NewPlanner(s.gateway, list, s.Work.Calendar(), jobs.Slots(s.due))
	return err
}

// workLoops are the loops that do what has come due, and what could not be
// done when it came.
func (s *server) workLoops() []func(context.Context) error {
	var loops []func(context.Context) error
	if s.Env.does(RoleGateway) {
		loops = append(loops, s.drainer.Run, s.unspool.Run)
	}
	if s.Env.does(RolePlanner) {
		loops = append(loops, s.runner.Run, s.poster.Run, s.planner.Run, jobs.NewSealer(s.DB, s.Log).Run)
	}
	return loops
}

// knownToFlows is what dialogues may name.
func knownToFlows() flows.Known { return flows.Known{Actions: actions.Docs(), Langs: []string{"en"}} }
