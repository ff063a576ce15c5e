package wecom

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"shaoying/bots"
	"shaoying/bots/weixin"
	"shaoying/bots/wire"
)

// Check asks WeCom how the application stands there.
func (a *App) Check(ctx context.Context) []bots.Finding {
	var agent struct {
		Name  string `json:"name"`
		Close int    `json:"close"`
		Users struct {
			User []struct {
				ID string `json:"userid"`
			} `json:"user"`
		} `json:"allow_userinfos"`
		Parties struct {
			IDs []int `json:"partyid"`
		} `json:"allow_partys"`
		Tags struct {
			IDs []int `json:"tagid"`
		} `json:"allow_tags"`
	}
	err := a.client.Probe(ctx)
	if err == nil {
		err = a.client.Get(ctx, "/cgi-bin/agent/get", url.Values{"agentid": {fmt.Sprint(a.cfg.AgentID)}}, &agent)
	}
	if err != nil {
		return []bots.Finding{wrong("%s", a.why(err))}
	}
	found := []bots.Finding{note("the application is %q", wire.Tidy(agent.Name, 64)), a.callback()}
	if agent.Close != 0 {
		found = append(found, wrong("the application is switched off: switch it on in the console, under its name"))
	}
	if len(agent.Users.User)+len(agent.Parties.IDs)+len(agent.Tags.IDs) == 0 {
		found = append(found, wrong("nobody sees the application: put the members who shall use it into its visible range"))
	}
	return found
}

// Check asks WeCom which accounts the interface may speak for.
func (k *KF) Check(ctx context.Context) []bots.Finding {
	var got struct {
		Accounts []struct {
			ID     string `json:"open_kfid"`
			Name   string `json:"name"`
			Manage *bool  `json:"manage_privilege"`
		} `json:"account_list"`
	}
	err := k.client.Probe(ctx)
	if err == nil {
		err = k.client.Post(ctx, "/cgi-bin/kf/account/list", map[string]int{"offset": 0, "limit": 100}, &got)
	}
	if err != nil {
		return []bots.Finding{wrong("%s", k.why(err))}
	}
	var others []string
	for _, account := range got.Accounts {
		if account.ID != k.cfg.OpenKFID {
			others = append(others, fmt.Sprintf("%s (%s)", wire.Tidy(account.ID, 64), wire.Tidy(account.Name, 64)))
			continue
		}
		if account.Manage != nil && !*account.Manage {
			return []bots.Finding{wrong("the account %s exists, but the application may not speak for it: in the console, Customer Service, API, hand it to the application", k.cfg.OpenKFID)}
		}
		return []bots.Finding{note("the account is %q", wire.Tidy(account.Name, 64)), k.callback()}
	}
	slices.Sort(others)
	if len(others) == 0 {
		return []bots.Finding{wrong("the application may speak for no account: in the console, Customer Service, API, hand it one")}
	}
	return []bots.Finding{wrong("open_kfid %s is not among the accounts that the application may speak for: %s", k.cfg.OpenKFID, strings.Join(others, ", "))}
}

// callback is what nobody can ask WeCom.
func (a *account) callback() bots.Finding {
	return note("the callback page must name https://…/bots/%s with the same Token and EncodingAESKey; WeCom saves the page only while `serve` runs and answers", a.cfg.ID)
}

func wrong(format string, args ...any) bots.Finding {
	return bots.Finding{Wrong: true, What: fmt.Sprintf(format, args...)}
}

func note(format string, args ...any) bots.Finding {
	return bots.Finding{What: fmt.Sprintf(format, args...)}
}

// seen is the address from which WeCom was called, as it says it.
var seen = regexp.MustCompile(`from ip: ([0-9a-fA-F.:]+)`)

// why says in plain words what an error of a call means, and what to do.
func (a *account) why(err error) string {
	switch code := weixin.CodeOf(err); code {
	case codeBadSecret, 40014, 42001:
		return "WeCom does not take the secret: copy Secret again from the page of the application; it belongs to this application and corp_id alone"
	case codeBadCorp:
		return "WeCom does not know corp_id: copy the id of the organisation again"
	case codeBadIP:
		ip := "this server's public address"
		if m := seen.FindStringSubmatch(err.Error()); m != nil {
			ip = strings.TrimRight(m[1], ".,:")
		}
		return fmt.Sprintf("WeCom takes no calls from %s: put it into the trusted addresses (IP) of the application", ip)
	case codeBadAgent, codeNoAgent:
		return "agent_id and secret are not of one application: copy both from the same page"
	case codeAgentOff:
		return "the application is switched off: switch it on in the console, under its name"
	case codeNoAPI, codeNoRight, codeForbidden, codeNotAllowed, 60112:
		return fmt.Sprintf("the application may not call this interface (%d): for Customer Service name it in the console among the applications that may call; else look at its rights", code)
	case codeKFSwitch, codeKFNotHere, codeKFElse:
		return fmt.Sprintf("Customer Service is not open to interfaces (%d): in the console, Customer Service, switch the API on and hand the account to the application", code)
	case 0:
		if class := bots.ClassOf(err); class == bots.ClassTemporary || class == bots.ClassUnknown {
			return fmt.Sprintf("WeCom cannot be reached at %s: %v", a.cfg.server(), err)
		}
	}
	return err.Error()
}
