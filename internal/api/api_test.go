package api_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"shaoying/internal/api"
	"shaoying/internal/people"
)

// A 12345 platform files, a dispatcher's program puts the ticket on a desk, the
// unit's program handles it, and the platform's callback closes it.
func TestATicketLivesByTheAPI(t *testing.T) {
	r := newRig(t)
	clerk := r.program(people.RoleClerk, people.AreaCity, "3603")
	dispatcher := r.program(people.RoleDispatcher, people.AreaCounty, county)
	unit := r.program(people.RoleHandler, people.AreaUnit, "housing")
	callback := r.program(people.RoleCallbackClerk, people.AreaCity, "3603")
	hears := newReceiver(t)
	r.program(people.RoleAdmin, people.AreaCity, "3603").hook(object{"url": hears.URL, "area": "unit:housing"})

	number := clerk.file(report)
	got := clerk.get(path(number)).Body
	if got["words"] != report["words"] || got["place"].(object)["grid"] != grid {
		t.Fatalf("the clerk sees %v", got)
	}
	if who := got["reporter"].(object); who["phone"] == "13800138000" || strings.Contains(who["phone"].(string), "0013") || who["name"] == "钟小明" {
		t.Fatalf("the reporter is not masked: %v", who)
	}
	if unit.get(path(number)).Status != http.StatusNotFound {
		t.Fatal("a unit sees what lies on another desk")
	}
	if state := got["state"]; state != "received" {
		dispatcher.do(number, "return", object{"reason": "not_our_duty"})
	}
	got = dispatcher.do(number, "dispatch", object{"desk": object{"kind": "unit", "code": "housing"}})
	if got["state"] != "dispatched" {
		t.Fatalf("dispatched: %v", got)
	}
	got = unit.do(number, "take", object{})
	if !slices.Contains(texts(got["allowed"]), "finish") || slices.Contains(texts(got["allowed"]), "judge") {
		t.Fatalf("the unit may %v", got["allowed"])
	}
	supervisor := r.program(people.RoleSupervisor, people.AreaCity, "3603")
	supervisor.do(number, "supervise", object{"reason": "media"})
	supervisor.post(path(number, "/commands/supervise"), object{"reason": "media"}).problem(t, http.StatusConflict, "refused")
	dispatcher.post(path(number, "/commands/answer_supervision"), object{"words": "已派人处理"}).problem(t, http.StatusForbidden, "forbidden")
	got = unit.do(number, "answer_supervision", object{"words": "已派人处理"})
	if v := got["supervisions"].([]any)[0].(object); v["answered_at"] == nil || v["desk"] != "housing" {
		t.Fatalf("supervised: %v", v)
	}
	unit.refused(number, "contact", "no_proof", object{"via": "visit", "reached": true})
	unit.do(number, "contact", object{"via": "visit", "reached": true, "words": "当面问过，灯杆是路口第二根"})
	r.exec(`insert into ticket_file (ticket_id, blob_id, use, added_by) select id, 'photo', 'evidence', 'test' from ticket`)
	unit.do(number, "finish", object{"result": "resolved", "reply": "路灯已修好"})
	callback.do(number, "note", object{"words": "晚上打电话"})
	got = callback.do(number, "callback_result", object{"contacted": "yes", "solved": "yes", "satisfied": "very_satisfied"})
	if got["state"] != "closed" || got["outcome"] != "resolved" || got["reply"] != "路灯已修好" {
		t.Fatalf("closed: %v", got)
	}
	r.run()
	if n := len(slices.DeleteFunc(hears.taken(), func(p posted) bool { return !strings.Contains(p.body, "ticket.closed") })); n != 1 {
		t.Errorf("the unit's webhook hears %d times that its ticket is closed", n)
	}
	if n := r.number(`select count(*) from callback where solved = 'yes'`); n != 1 {
		t.Fatalf("%d calls are kept", n)
	}
	var kinds []string
	for _, e := range items(t, clerk.get(path(number, "/events"))) {
		kinds = append(kinds, e["kind"].(string))
	}
	for _, want := range []string{"ticket.filed", "ticket.signed", "ticket.handled", "ticket.closed"} {
		if !slices.Contains(kinds, want) {
			t.Errorf("%s is missing in %v", want, kinds)
		}
	}
	if n := r.number(`select count(*) from trail where kind in ('ticket.filed', 'ticket.signed', 'ticket.handled', 'ticket.closed') and actor !~ '^token:'`); n != 0 {
		t.Errorf("%d steps do not name their token", n)
	}
	// A closed ticket says what goes.
	late := callback.post(path(number, "/commands/judge"), object{"verdict": "redo", "words": "重办"})
	late.problem(t, http.StatusConflict, "refused")
	if late.Body["rule"] != "state" || !slices.Contains(texts(late.Body["allowed"]), "relapse") {
		t.Fatalf("the refusal says %s", late.Raw)
	}
}

func texts(v any) (out []string) {
	list, _ := v.([]any)
	for _, s := range list {
		out = append(out, s.(string))
	}
	return out
}

func TestWrongTokensRolesAndAreas(t *testing.T) {
	r := newRig(t)
	clerk := r.program(people.RoleClerk, people.AreaCity, "3603")
	number := clerk.file(report)

	for _, token := range []string{"", "sy_short", "sy_ABCDEFGHIJKLMNOPQRSTUVWXYZ", clerk.token + "A", strings.ToLower(clerk.token)} {
		a := (&program{r, token}).get(path(number))
		a.problem(t, http.StatusUnauthorized, "unauthorized")
		if !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("no challenge: %v", a.Header)
		}
	}
	supervisor := r.program(people.RoleSupervisor, people.AreaCity, "3603")
	supervisor.post("/tickets", report).problem(t, http.StatusForbidden, "forbidden")
	supervisor.post(path(number, "/commands/dispatch"), object{"desk": object{"kind": "unit", "code": "housing"}}).
		problem(t, http.StatusForbidden, "forbidden")
	supervisor.get("/webhooks").problem(t, http.StatusForbidden, "forbidden")
	admin := r.program(people.RoleAdmin, people.AreaCity, "3603")
	admin.get(path(number)).problem(t, http.StatusForbidden, "forbidden")

	// Another county's clerk learns nothing: what is hidden and what is not there
	// are told alike.
	other := r.program(people.RoleClerk, people.AreaCounty, "360302")
	hidden, none := other.get(path(number)), other.get(path("2000000000"))
	hidden.problem(t, http.StatusNotFound, "not_found")
	none.problem(t, http.StatusNotFound, "not_found")
	if hidden.Raw != none.Raw {
		t.Errorf("%s differs from %s", hidden.Raw, none.Raw)
	}
	other.post(path(number, "/commands/note"), object{"words": "记下"}).problem(t, http.StatusNotFound, "not_found")
	other.post("/tickets", report).problem(t, http.StatusForbidden, "forbidden")
	if list := items(t, other.get("/tickets")); len(list) != 0 {
		t.Errorf("another county lists %v", list)
	}

	// Revoked and expired ones are unknown.
	id := r.number(`select id from api_token order by id limit 1`)
	if err := api.RevokeToken(t.Context(), r.DB, r.Keys, id); err != nil {
		t.Fatal(err)
	}
	clerk.get(path(number)).problem(t, http.StatusUnauthorized, "unauthorized")
	r.exec(`update api_token set expires_at = now() - interval '1 second' where id = (select max(id) from api_token)`)
	other.get("/tickets").problem(t, http.StatusUnauthorized, "unauthorized")
	if got := r.number(`select count(*) from trail where kind in ('token.created', 'token.revoked') and actor = 'operator'`); got != 5 {
		t.Errorf("the trail has %d rows of tokens", got)
	}
	if r.log.String() != "" && strings.Contains(r.log.String(), clerk.token) {
		t.Error("a token was logged")
	}
}

func TestAKeyIsDoneOnce(t *testing.T) {
	r := newRig(t)
	clerk := r.program(people.RoleClerk, people.AreaCity, "3603")
	first := clerk.send("POST", "/tickets", "one-key-12345", report)
	again := clerk.send("POST", "/tickets", "one-key-12345", report)
	if first.Status != http.StatusCreated || again.Status != first.Status || again.Raw != first.Raw || again.Header.Get("Idempotency-Replayed") != "true" {
		t.Fatalf("first %d %s\nagain %d %s", first.Status, first.Raw, again.Status, again.Raw)
	}
	clerk.send("POST", "/tickets", "one-key-12345", object{"words": "另一件事情"}).problem(t, http.StatusUnprocessableEntity, "key_reused")
	clerk.send("POST", path(first.Body["number"].(string), "/commands/note"), "one-key-12345", report).problem(t, http.StatusUnprocessableEntity, "invalid")
	clerk.send("POST", path(first.Body["number"].(string), "/commands/note"), "one-key-12345", object{"words": "记下"}).problem(t, http.StatusUnprocessableEntity, "key_reused")
	clerk.send("POST", "/tickets", "", report).problem(t, http.StatusUnprocessableEntity, "invalid")
	// The key of another token is another key.
	other := r.program(people.RoleClerk, people.AreaCounty, county)
	if a := other.send("POST", "/tickets", "one-key-12345", report); a.Status != http.StatusCreated || a.Header.Get("Idempotency-Replayed") != "" {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	// A refusal keeps nothing and is judged anew.
	number := first.Body["number"].(string)
	callback := r.program(people.RoleCallbackClerk, people.AreaCity, "3603")
	body := object{"contacted": "yes", "solved": "yes"}
	callback.send("POST", path(number, "/commands/callback_result"), "key-refused", body).problem(t, http.StatusConflict, "refused")
	r.exec(`update ticket set state = 'handled', handled_at = product_now() where number = $1`, number)
	if a := callback.send("POST", path(number, "/commands/callback_result"), "key-refused", body); a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
}

// However many send the same write at once, it is done once; who comes while it
// is being done is told so.
func TestAKeyUnderConcurrency(t *testing.T) {
	r := newRig(t)
	clerk := r.program(people.RoleClerk, people.AreaCity, "3603")
	answers := make([]answer, 12)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = clerk.send("POST", "/tickets", "at-the-same-time", report) })
	}
	wg.Wait()
	numbers := map[any]bool{}
	for _, a := range answers {
		switch {
		case a.Status == http.StatusCreated:
			numbers[a.Body["number"]] = true
		default:
			a.problem(t, http.StatusConflict, "in_flight")
		}
	}
	if n := r.number(`select count(*) from ticket`); n != 1 || len(numbers) != 1 {
		t.Fatalf("%d tickets, numbers %v", n, numbers)
	}
	// The key is held by somebody: 409, certainly.
	tx, err := r.sql.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `select pg_advisory_xact_lock(hashtextextended((select id from api_token limit 1)::text || '/held-by-another', 1510539267))`); err != nil {
		t.Fatal(err)
	}
	clerk.send("POST", "/tickets", "held-by-another", report).problem(t, http.StatusConflict, "in_flight")
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestPaging(t *testing.T) {
	r := newRig(t)
	clerk := r.program(people.RoleClerk, people.AreaCity, "3603")
	want := map[string]bool{}
	for range 5 {
		want[clerk.file(report)] = true
	}
	cursor, got := "", map[string]bool{}
	for range 4 {
		a := clerk.get("/tickets?limit=2" + cursor)
		for _, k := range items(t, a) {
			got[k["number"].(string)] = true
		}
		next, more := a.Body["next"].(string)
		if !more {
			break
		}
		cursor = "&cursor=" + next
	}
	if len(got) != 5 {
		t.Fatalf("got %d of %d tickets", len(got), len(want))
	}
	for _, bad := range []string{"x", "!!", "dGlja2V0czotMQ", "dW5pdHM6NQ", strings.Repeat("A", 60)} {
		clerk.get("/tickets?cursor="+bad).problem(t, http.StatusBadRequest, "cursor")
	}
	clerk.get("/tickets?limit=0").problem(t, http.StatusUnprocessableEntity, "invalid")
	clerk.get("/tickets?state=nowhere").problem(t, http.StatusUnprocessableEntity, "invalid")
	clerk.get("/tickets?color=red").problem(t, http.StatusUnprocessableEntity, "invalid")
	if n := len(items(t, clerk.get("/units?limit=3"))); n != 3 {
		t.Errorf("%d units", n)
	}
	if n := len(items(t, clerk.get("/matters?limit=200"))); n < 10 {
		t.Errorf("%d matters", n)
	}
}

func TestOddRequests(t *testing.T) {
	r := newRig(t, func(d *api.Deps) { d.Policy.Body.MaxBytes = 2048 })
	clerk := r.program(people.RoleClerk, people.AreaCity, "3603")
	clerk.post("/tickets", `{"words":`).problem(t, http.StatusBadRequest, "invalid")
	clerk.post("/tickets", object{"words": "一"}).problem(t, http.StatusUnprocessableEntity, "invalid")
	clerk.post("/tickets", object{"words": "路灯不亮", "colour": "red"}).problem(t, http.StatusUnprocessableEntity, "invalid")
	clerk.post("/tickets", object{"words": "路灯不亮", "matter": "nothing"}).problem(t, http.StatusUnprocessableEntity, "invalid")
	clerk.post("/tickets", object{"words": "路灯不亮", "place": object{"grid": "999999999999999"}}).problem(t, http.StatusUnprocessableEntity, "invalid")
	secret := clerk.post("/tickets", object{"words": "路灯不亮", "reporter": object{"phone": "no-phone-12x"}})
	secret.problem(t, http.StatusUnprocessableEntity, "invalid")
	if strings.Contains(secret.Raw, "no-phone") {
		t.Errorf("what was sent comes back: %s", secret.Raw)
	}
	clerk.post("/tickets", object{"words": strings.Repeat("长", 900)}).problem(t, http.StatusRequestEntityTooLarge, "too_large")
	clerk.get("/nowhere").problem(t, http.StatusNotFound, "not_found")
	gone := clerk.send("PUT", "/tickets", "", object{})
	gone.problem(t, http.StatusMethodNotAllowed, "method")
	if gone.Header.Get("Allow") == "" {
		t.Error("the methods are not named")
	}
	if n := r.number(`select count(*) from ticket`); n != 0 {
		t.Errorf("%d tickets", n)
	}
}

func TestTooManyRequests(t *testing.T) {
	r := newRig(t, func(d *api.Deps) { d.Policy.Requests.PerSecond, d.Policy.Requests.Burst = 0.001, 2 })
	clerk, other := r.program(people.RoleClerk, people.AreaCity, "3603"), r.program(people.RoleClerk, people.AreaCity, "3603")
	clerk.get("/units")
	clerk.get("/units")
	a := clerk.get("/units")
	a.problem(t, http.StatusTooManyRequests, "too_many")
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if got := other.get("/units").Status; got != http.StatusOK {
		t.Errorf("another token is held up: %d", got)
	}
}

func TestProtectionHolds(t *testing.T) {
	r := newRig(t)
	clerk := r.program(people.RoleClerk, people.AreaCity, "3603")
	supervisor := r.program(people.RoleSupervisor, people.AreaCity, "3603")
	unit := r.program(people.RoleHandler, people.AreaUnit, "urban_management")
	worker := r.program(people.RoleGridWorker, people.AreaGrid, grid)

	private := clerk.file(object{"words": "我要保密，隔壁有人聚众赌博", "place": object{"text": "昌盛小区"}, "confidential": true, "reporter": object{"name": "钟小明", "phone": "13800138000"}})
	got := supervisor.get(path(private))
	if got.Status != http.StatusNotFound && (got.Body["words"] != nil || got.Body["reporter"] != nil) {
		t.Errorf("a supervisor sees %s", got.Raw)
	}
	worker.get(path(private)).problem(t, http.StatusNotFound, "not_found")
	if list := items(t, worker.get("/tickets")); len(list) != 0 {
		t.Errorf("a grid worker lists %v", list)
	}
	if who := clerk.get(path(private)).Body["reporter"]; who != nil {
		t.Errorf("a clerk learns who reported in confidence: %v", who)
	}
	// A complaint about the unit stays hidden from it, also when somebody puts it
	// on its desk by hand.
	about := clerk.file(object{"words": "投诉城市管理局执法人员态度恶劣，乱罚款", "place": object{"text": "昌盛小区"}, "claim": "complaint"})
	unit.get(path(about)).problem(t, http.StatusNotFound, "not_found")
	r.exec(`insert into assignment (ticket_id, role, desk_kind, desk, state, dispatched_at) select id, 'lead', 'unit', 'urban_management', 'waiting', product_now() from ticket where number = $1`, about)
	unit.get(path(about)).problem(t, http.StatusNotFound, "not_found")
	unit.post(path(about, "/commands/take"), object{}).problem(t, http.StatusNotFound, "not_found")
	if list := items(t, unit.get("/tickets")); len(list) != 0 {
		t.Errorf("the unit lists %v", list)
	}
	dispatcher := r.program(people.RoleDispatcher, people.AreaCity, "3603")
	r.exec(`update assignment set ended_at = product_now()`)
	r.exec(`update ticket set state = 'received' where number = $1`, about)
	dispatcher.post(path(about, "/commands/dispatch"), object{"desk": object{"kind": "unit", "code": "urban_management"}}).
		problem(t, http.StatusConflict, "refused")
}

func TestReportersOfAPlatform(t *testing.T) {
	r := newRig(t)
	clerk := r.program(people.RoleClerk, people.AreaCity, "3603")
	other := r.program(people.RoleClerk, people.AreaCity, "3603")
	clerk.file(report)
	clerk.file(report)
	other.file(report)
	clerk.file(object{"words": "桥头路面塌了一个洞"})
	if n := r.number(`select count(distinct reporter_id) from ticket`); n != 3 {
		t.Errorf("four reports of two numbers are from %d persons", n)
	}
	if n := r.number(`select count(*) from address where channel = 'api' and trust = 'none' and state = 'stopped'`); n != 3 {
		t.Errorf("%d addresses", n)
	}
	if n := r.number(`select count(*) from person where phone::text like '%13800138000%' or name::text like '%钟小明%'`); n != 0 {
		t.Error("a name or number lies open")
	}
	if n := r.number(`select count(*) from outbox`); n != 0 {
		t.Errorf("%d messages are queued for people who cannot be written to", n)
	}
}

// Whom a program filed for hears of it from the program: nobody is written to, and
// no clerk rings in its place.
func TestTheProgramTellsTheReporter(t *testing.T) {
	r := newRig(t)
	clerk := r.program(people.RoleClerk, people.AreaCity, "3603")
	number := clerk.file(object{"words": "希望在桥头加一盏灯", "reporter": object{"phone": "13800138000"}})
	if got := clerk.get(path(number)).Body; !slices.Contains(texts(got["allowed"]), "reject") {
		t.Fatalf("the clerk may %v", got["allowed"])
	}
	clerk.do(number, "reject", object{"reason": "not_government"})
	r.run()
	if state := r.text(`select state from due where kind = 'notice'`); state != "dropped" {
		t.Errorf("the notice is %s", state)
	}
	if n := r.number(`select count(*) from task where kind = 'lost'`); n != 0 {
		t.Errorf("%d tasks for clerks", n)
	}
}

// Danger counts in a report of a program as it does in a chat.
func TestDangerIsUrgent(t *testing.T) {
	r := newRig(t)
	got := r.program(people.RoleClerk, people.AreaCity, "3603").post("/tickets", object{"words": "楼道里煤气味很大，怕是漏气了", "place": object{"text": "昌盛小区"}})
	if got.Body["urgency"] != "urgent" || got.Body["danger"] == nil {
		t.Fatalf("%s", got.Raw)
	}
}

func TestTheFeedOfEvents(t *testing.T) {
	r := newRig(t)
	clerk := r.program(people.RoleClerk, people.AreaCity, "3603")
	other := r.program(people.RoleClerk, people.AreaCounty, "360302")
	number := clerk.file(report)
	if n := len(items(t, clerk.get("/events"))); n != 0 {
		t.Fatalf("%d events before the trail is sealed", n)
	}
	r.exec(`insert into trail_link (position, trail_id, hash) select row_number() over (order by id), id, '' from trail`)
	a := clerk.get("/events")
	list := items(t, a)
	if len(list) == 0 || list[0]["ticket"] != number || list[0]["kind"] != "ticket.filed" {
		t.Fatalf("%s", a.Raw)
	}
	rest := clerk.get("/events?cursor=" + a.Body["next"].(string))
	if len(items(t, rest)) != 0 || rest.Body["next"] != a.Body["next"] {
		t.Fatalf("%s", rest.Raw)
	}
	if n := len(items(t, other.get("/events"))); n != 0 {
		t.Errorf("another county hears of %d events", n)
	}
}

func TestTokensOfTheCommandLine(t *testing.T) {
	r := newRig(t)
	city := people.Area{Kind: people.AreaCity, Code: "3603"}
	for name, g := range map[string]people.Grant{
		"no such role": {Role: "king", Area: city}, "role not held there": {Role: people.RoleHandler, Area: city}, "": {Role: people.RoleClerk, Area: city},
	} {
		if token, err := api.CreateToken(t.Context(), r.DB, r.Keys, r.orders.Rights, name, g, time.Time{}); err == nil || token != "" {
			t.Errorf("%q was made", name)
		}
	}
	clerk := r.program(people.RoleClerk, people.AreaCity, "3603")
	clerk.get("/units")
	if n := r.number(`select count(*) from api_token where last_used = current_date`); n != 1 {
		t.Error("the day of use is not kept")
	}
	if s := r.text(`select string_agg(hash::text, '') from api_token`); strings.Contains(s, clerk.token) {
		t.Error("the token is kept")
	}
	if err := api.RevokeToken(t.Context(), r.DB, r.Keys, 999); err == nil {
		t.Error("a token that is not there was revoked")
	}
	staff, err := r.DB.ListStaff(t.Context(), 100)
	if err != nil || len(staff) != 0 {
		t.Errorf("tokens stand in the list of staff: %v %v", staff, err)
	}
}
