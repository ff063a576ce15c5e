//go:build browser

package browser

import (
	"fmt"
	"testing"
)

// TestDeskBed is a family bed on the desk page of a clinic, on a common phone: an
// application goes to its open bed with an order, and a visit of the demo's other
// family is moved.
func TestDeskBed(t *testing.T) {
	c := newChrome(t)
	clinic := c.at("clinic-desk-changsheng", narrow)
	clinic.visit("/desk/care?tab=wishes")
	clinic.shot("desk-bed-wishes-375", narrow, deskHigh)
	clinic.visit(clinic.first(`a[href^="/desk/care/application/"]`))
	clinic.deed("screen", "待评估", `[name=q_stable]`, "yes", `[name=q_housebound]`, "yes", `[name=q_served]`, "yes", `[name=q_adult]`, "yes")
	clinic.deed("assess", "待登记", `[name=condition]`, "yes", `[name=home_fit]`, "yes")
	clinic.deed("register", "待签字", `[name=type]`, "treatment", `[name=number]`, "CS-2026-002", `[name=relation_1]`, "son")
	clinic.fits()
	clinic.choose("sign", "person", "儿子")
	clinic.deed("sign", "待签字", `[name=form_of]`, "screen", `[name=signature]`, "汤立春")
	clinic.choose("open", "doctor", "")
	clinic.choose("open", "nurse", "")
	clinic.deed("open", "在床", `[name=diagnosis]`, "演示用诊断")
	clinic.deed("order", "每3天", `[name=kind]`, "wound", `[name=every]`, "3", `[name=from]`, "2026-03-05")
	clinic.shot("desk-bed-375", narrow, 2*deskHigh)

	// The bed that the demo began with: its nurse comes tomorrow.
	clinic.visit("/desk/care?tab=beds&q=CS-2026-001")
	clinic.visit(clinic.first(`a[href^="/desk/bed/"]`))
	clinic.visit(clinic.first(`.lines a[href^="/desk/visit/"]`))
	before := clinic.read(`document.querySelector("h2").innerText`)
	clinic.choose("move", "to", "")
	clinic.deed("move", "护理", `[name=agreed]`, "1")
	if after := clinic.read(`document.querySelector("h2").innerText`); after == before {
		t.Errorf("the visit stayed: %s", after)
	}
	clinic.fits()
	clinic.visit("/desk/care?tab=visits")
	clinic.shot("desk-bed-visits-375", narrow, deskHigh)
	if n := clinic.read(`String(document.scripts.length)`); n != "0" {
		t.Errorf("the page has %s scripts", n)
	}
}

// first is where the first link of a kind leads.
func (p *tab) first(link string) string {
	p.t.Helper()
	return p.read(fmt.Sprintf(`document.querySelector(%s).getAttribute("href")`, quote(link)))
}

// choose takes the first option of a deed's list that holds a word and stands for
// something.
func (p *tab) choose(deed, name, word string) {
	p.t.Helper()
	took := p.read(fmt.Sprintf(`(() => {
		const list = document.querySelector('form[action$="/do/%s"] [name=%s]');
		const option = [...list.options].find((o) => o.value && o.text.includes(%s));
		if (option) list.value = option.value;
		return option ? option.text : "";
	})()`, deed, name, quote(word)))
	if took == "" {
		p.t.Fatalf("%s has no %q to choose in %s", deed, word, name)
	}
}
