package actions_test

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"shaoying/configs"
	"shaoying/flows"
	"shaoying/flows/flowstest"
	"shaoying/flows/words"
	"shaoying/internal/actions"
)

func definitions(t *testing.T) []*flows.Definition {
	t.Helper()
	common, err := flows.ParseTexts("texts/common.yaml", read(t, "texts/common.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all []*flows.Definition
	for _, name := range names(t, "flows/*.yaml") {
		d, err := flows.Parse(name, read(t, name))
		if err != nil {
			t.Fatal(err)
		}
		d.Common = common
		all = append(all, d)
	}
	return all
}

func names(t *testing.T, pattern string) []string {
	t.Helper()
	list, err := fs.Glob(configs.FS(), pattern)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	body, err := configs.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func lexicon(t *testing.T) *words.Lexicon {
	t.Helper()
	l, err := words.ParseLexicon("words.yaml", read(t, "words.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Issue 2, section 4: no unknown action, dead end or half language.
func TestCheck(t *testing.T) {
	known := actions.Docs()
	for _, p := range flows.Check(definitions(t), flows.Known{Actions: known, Langs: []string{"en"}}) {
		t.Error(p)
	}
}

func TestTranscripts(t *testing.T) {
	defs, lex := definitions(t), lexicon(t)
	for _, name := range names(t, "flows/*.transcript") {
		t.Run(path.Base(name), func(t *testing.T) {
			tr, err := flowstest.Parse(path.Base(name), read(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := flowstest.Run(defs, lex, tr); err != nil {
				t.Error(err)
			}
		})
	}
}

// Issue 2, done means 3: every dialogue has its transcript.
func TestEveryDialogueHasATranscript(t *testing.T) {
	scripts := strings.Join(names(t, "flows/*.transcript"), "\n")
	for _, d := range definitions(t) {
		if !strings.Contains(scripts, "flows/"+d.Name+".transcript") && !strings.Contains(scripts, "flows/"+d.Name+"-") {
			t.Errorf("%s has no transcript", d.Name)
		}
	}
}

// Which dialogue may be started in which kind of group: everything else is for
// private chats. Among residents and in an unbound group staff do nothing but
// bind it.
func TestDialoguesInGroups(t *testing.T) {
	want := map[string]string{
		flows.GroupWork: "danger filed help language report staff_alias staff_aliases staff_answer_supervision staff_ask_extension " +
			"staff_ask_suspension staff_bind_residents staff_bind_work staff_care_arrive staff_care_away staff_care_help staff_care_leave staff_care_nobody " +
			"staff_co_reply staff_co_sign staff_finding staff_finish " +
			"staff_help staff_menu staff_my_tickets staff_note staff_object staff_off staff_on staff_relay staff_resume staff_show staff_take staff_transfer staff_unbind " +
			"staff_whistle_answer staff_whistle_arrive staff_whistle_handle staff_whistle_misuse staff_whistle_propose start stop welcome",
		flows.GroupResidents: "danger filed help language report staff_bind_residents staff_bind_work staff_unbind start stop welcome",
		flows.GroupUnbound:   "staff_bind_residents staff_bind_work staff_unbind",
	}
	got := map[string][]string{}
	for _, d := range definitions(t) {
		for _, g := range d.Groups {
			got[g] = append(got[g], d.Name)
		}
	}
	for g, names := range want {
		slices.Sort(got[g])
		if all := strings.Join(got[g], " "); all != names {
			t.Errorf("in %s groups may be started: %s\nwant %s", g, all, names)
		}
	}
}
